// A thread that ends with a Result. Every thread of the library and the program is one of these.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "shunt/base/result.h"

namespace shunt::io {

// Move-only; one owner, who joins it.
class Thread {
 public:
  // Runs in the thread. An exception, such as std::bad_alloc, becomes the error that join()
  // returns; it would otherwise end the process.
  using Work = std::function<Result<void>()>;

  // No thread.
  Thread() noexcept;
  // Returns kLocalIo if the system cannot start another thread.
  [[nodiscard]] static Result<Thread> start(Work work);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;  // joins the one before
  ~Thread();                                   // joins; the owner tells the work to stop before

  // True if there is a thread that has not been joined.
  [[nodiscard]] bool joinable() const noexcept { return thread_.joinable(); }
  // True if called on this thread.
  [[nodiscard]] bool is_current() const noexcept {
    return thread_.get_id() == std::this_thread::get_id();
  }
  // Waits for the thread and returns the result of its work; success if there is no thread.
  Result<void> join();

 private:
  struct State;
  explicit Thread(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;  // shared by both sides; used by the thread until it is joined
  std::thread thread_;
};

}  // namespace shunt::io
