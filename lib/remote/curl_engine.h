// The client's thread: it drives libcurl's multi handle, and runs what other threads hand to it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "remote/curl_setup.h"
#include "remote/curl_transfer.h"
#include "remote/rate_bucket.h"

namespace shunt::remote {

class Engine final : private Transfer::Gate {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<void()>;
  using TransferPtr = std::shared_ptr<Transfer>;

  Engine(const Settings& settings, MultiHandle multi);

  // What the thread does until stop(); then it drops what is under way without a word.
  void run();

  // From any thread.
  void stop();
  void post(Task task, std::chrono::milliseconds delay);
  void add(TransferPtr transfer);
  void remove(TransferPtr transfer);  // after its cancel()
  [[nodiscard]] const ClientOptions& options() const { return settings_.options; }

 private:
  void command(Task task);
  void run_commands();
  void run_timers();
  void start_waiting();
  void start(TransferPtr transfer);
  void reap();
  void end(CURL* easy, CURLcode code);
  void drop(const TransferPtr& transfer);
  // `now` is from before libcurl last looked at its connections.
  void look_after_active(Clock::time_point now);
  void interrupt_all();
  void resume_paused();
  [[nodiscard]] int poll_timeout();
  bool admit(Transfer& transfer, std::size_t bytes) override;
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
};

}  // namespace shunt::remote
