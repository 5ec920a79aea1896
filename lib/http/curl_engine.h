// The client's thread: it drives libcurl's multi handle, and runs what other threads hand to it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "shunt/http/curl_setup.h"
#include "shunt/http/curl_transfer.h"
#include "shunt/http/rate_bucket.h"

namespace shunt::http {

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
  void stop();
  // What a task throws is lost: it tells those whom it concerns itself.
  void post(Task task, std::chrono::milliseconds delay);
  void add(TransferPtr transfer);
  // After its cancel(). When there is no memory even for this, the thread finds it by itself.
  void remove(TransferPtr transfer) noexcept;
  // Asks its handler again, which was not ready.
  void resume(TransferPtr transfer);
  [[nodiscard]] const ClientOptions& options() const { return settings_.options; }

 private:
  void command(Task task);
  void wait_for(TransferPtr transfer);
  Result<void> turn();
  void run_commands();
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
  [[nodiscard]] int poll_timeout();
  bool admit(Transfer& transfer, std::size_t bytes) override;
  void handled(Clock::duration took) override { in_handlers_ += took; }
  [[nodiscard]] EasyHandle take_easy();
  [[nodiscard]] bool finish_up();

  const Settings settings_;

  std::mutex mutex_;
  std::vector<Task> commands_;
  bool stopping_ = false;
  bool ended_ = false;  // nothing runs commands any more

  // Of the thread alone. The multi handle has to outlive the easy handles in it.
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
