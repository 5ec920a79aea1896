// The client's thread: it drives libcurl's multi handle, and runs what other threads hand to it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/http/curl_setup.h"
#include "shunt/http/curl_transfer.h"
#include "shunt/http/rate_bucket.h"

namespace shunt::http {

// One thread, that of run(), owns libcurl's handles, the transfers and the timers, and makes all
// calls of handlers. Other threads hand it tasks, under the mutex, and wake it; the mutex is never
// held while a task or a handler runs.
class Engine final : private Transfer::Gate {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;
  using TransferPtr = std::shared_ptr<Transfer>;

  Engine(const Settings& settings, MultiHandle multi);

  // What the thread does until stop(); then it drops what is under way without a word. What goes
  // wrong with all of it, exhausted memory above all, is told to all that is under way, and the
  // thread serves those who come later.
  Result<void> run();

  // From any thread.
  void stop() SHUNT_EXCLUDES(mutex_);
  // What a task throws is lost: it tells those whom it concerns itself.
  void post(Task task, std::chrono::milliseconds delay) SHUNT_EXCLUDES(mutex_);
  void add(TransferPtr transfer) SHUNT_EXCLUDES(mutex_);
  // After its cancel(). When there is no memory even for this, the thread finds it by itself.
  void remove(TransferPtr transfer) noexcept SHUNT_EXCLUDES(mutex_);
  // Asks its handler again, which was not ready.
  void resume(TransferPtr transfer) SHUNT_EXCLUDES(mutex_);
  [[nodiscard]] const ClientOptions& options() const { return settings_.options; }

 private:
  void command(Task task) SHUNT_EXCLUDES(mutex_);
  // The rest is of the thread.
  void wait_for(TransferPtr transfer);
  Result<void> turn();
  void run_commands() SHUNT_EXCLUDES(mutex_);
  void run_timers();
  void start_waiting();
  Result<void> start(const TransferPtr& transfer);
  void reap();
  void end(CURL* easy, CURLcode code);
  void drop(const TransferPtr& transfer);
  // `now` is from before libcurl last looked at its connections.
  void look_after_active(Clock::time_point now);
  // Time since `since` in which the thread was there for all connections.
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
  bool ended_ SHUNT_GUARDED_BY(mutex_) = false;  // nothing runs commands any more

  // Of the thread alone, but that others wake it through the multi handle, under the mutex and
  // before ended_. The multi handle has to outlive the easy handles in it.
  MultiHandle multi_;
  std::multimap<Clock::time_point, Task> timers_;
  std::deque<TransferPtr> waiting_;
  std::map<CURL*, TransferPtr> active_;
  std::vector<TransferPtr> delayed_;  // their timers are running
  std::deque<Transfer*> paused_;
  std::vector<EasyHandle> spare_;
  RateBucket bucket_;
  Clock::duration in_handlers_{};  // since libcurl was last called
  double waited_ = 0;              // seconds that active transfers have not been told of
};

}  // namespace shunt::http
