// A thread that ends with a Result. All threads of the library and the program are of this kind.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "shunt/base/result.h"

namespace shunt::io {

// Move-only; has one owner, who joins it.
class Thread {
 public:
  // Runs in the thread. What it throws, exhausted memory above all, becomes the error that join()
  // returns: an exception that leaves a thread ends the process.
  using Work = std::function<Result<void>()>;

  // No thread.
  Thread() noexcept;
  // kLocalIo where the system has no room for another one.
  [[nodiscard]] static Result<Thread> start(Work work);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;  // joins the one before
  ~Thread();                                   // joins; whoever waits for something stops it first

  // Whether there is one that has not been joined.
  [[nodiscard]] bool joinable() const noexcept { return thread_.joinable(); }
  // Whether this is the thread that asks.
  [[nodiscard]] bool is_current() const noexcept {
    return thread_.get_id() == std::this_thread::get_id();
  }
  // Waits for the end; what the work came to. Without a thread, success.
  Result<void> join();

 private:
  struct State;
  explicit Thread(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;  // what both sides know; the thread's until it is joined
  std::thread thread_;
};

}  // namespace shunt::io
