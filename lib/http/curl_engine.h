// The client's thread: drives libcurl's multi handle and runs the tasks of other threads.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/http/curl_setup.h"
#include "shunt/http/curl_transfer.h"
#include "shunt/http/rate_bucket.h"

namespace shunt::http {

// The thread of run() owns libcurl's handles, the transfers and the timers, and calls all handlers.
// Other threads add tasks with the mutex held, and wake it. The mutex is never held while a task or
// a handler runs.
class Engine final : private Transfer::Gate {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;
  using TransferPtr = std::shared_ptr<Transfer>;

  Engine(const Settings& settings, MultiHandle multi);

  // Runs on the thread until stop(), then drops all transfers without telling their handlers. An
  // error that concerns all of it, such as lack of memory, is reported to all current transfers;
  // later ones are served.
  Result<void> run();

  // Thread-safe.
  void stop() SHUNT_EXCLUDES(mutex_);
  // Runs `task` after `delay`. Exceptions of a task are lost; it must report failures itself.
  void post(Task task, std::chrono::milliseconds delay) SHUNT_EXCLUDES(mutex_);
  void add(TransferPtr transfer) SHUNT_EXCLUDES(mutex_);
  // Called after Transfer::cancel(). If there is no memory for the task, the thread notices the
  // cancelled transfer by itself.
  void remove(TransferPtr transfer) noexcept SHUNT_EXCLUDES(mutex_);
  // Calls room() of its handler again, after it was not enough.
  void resume(TransferPtr transfer) SHUNT_EXCLUDES(mutex_);
  [[nodiscard]] const ClientOptions& options() const { return settings_.options; }

 private:
  void command(Task task) SHUNT_EXCLUDES(mutex_);
  // The functions below are called by the thread only.
  void wait_for(TransferPtr transfer);
  Result<void> turn();
  void run_commands() SHUNT_EXCLUDES(mutex_);
  void run_timers();
  void start_waiting();
  Result<void> start(const TransferPtr& transfer);
  void reap();
  void end(CURL* easy, CURLcode code);
  void drop(const TransferPtr& transfer);
  // `now` is the time before libcurl last looked at its connections.
  void look_after_active(Clock::time_point now);
  // Adds the time since `since`, less the time spent in handlers.
  void note_waited(Clock::time_point since);
  void end_all(const Error& reason) noexcept;
  void resume_paused();
  [[nodiscard]] int poll_timeout() SHUNT_EXCLUDES(mutex_);
  bool admit(Transfer& transfer, std::size_t bytes) override;
  void handled(Clock::duration took) override { in_handlers_ += took; }
  [[nodiscard]] EasyHandle take_easy();
  [[nodiscard]] bool finish_up() SHUNT_EXCLUDES(mutex_);

  const Settings settings_;

  Mutex mutex_;
  std::vector<Task> commands_ SHUNT_GUARDED_BY(mutex_);
  bool stopping_ SHUNT_GUARDED_BY(mutex_) = false;
  bool ended_ SHUNT_GUARDED_BY(mutex_) = false;  // commands are not run any more

  std::atomic<std::thread::id> thread_;  // the one in run()

  // Used by the thread only, except that others wake it through the multi handle, with the mutex
  // held and before ended_ is set. The multi handle must outlive the easy handles in it.
  MultiHandle multi_;
  std::multimap<Clock::time_point, Task> timers_;
  std::deque<TransferPtr> waiting_;
  std::map<CURL*, TransferPtr> active_;
  std::vector<TransferPtr> delayed_;  // their timers are running
  std::deque<Transfer*> paused_;
  std::vector<EasyHandle> spare_;
  RateBucket bucket_;
  Clock::duration in_handlers_{};  // since libcurl was last called
  double waited_ = 0;              // seconds not yet reported to active transfers
};

}  // namespace shunt::http
