#include "remote/curl_engine.h"

#include <signal.h>

#include <algorithm>
#include <utility>

namespace shunt::remote {

namespace {

// How long the thread sleeps at most while there is something to watch: cancellation, stalls.
constexpr int kTick = 100;
constexpr int kIdle = 60'000;

}  // namespace

Engine::Engine(const Settings& settings, MultiHandle multi)
    : settings_(settings), multi_(std::move(multi)), bucket_(settings.options.max_rate) {
  const long connections = static_cast<long>(settings_.options.connections);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, connections);
}

void Engine::run() {
  // Signals are for the program's own threads. A write to a connection that was closed must not
  // end the process, whatever the program does about SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);

  while (!finish_up()) {
    run_commands();
    run_timers();
    start_waiting();
    // A handler may block for long; what comes for others meanwhile is seen in the next round only.
    const auto before = Clock::now();
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    reap();
    look_after_active(before);
    resume_paused();
    const int timeout = poll_timeout();
    if (timeout > 0) curl_multi_poll(multi_.get(), nullptr, 0, timeout, nullptr);
  }

  for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
  active_.clear();
  waiting_.clear();
  delayed_.clear();
  timers_.clear();
  spare_.clear();
  multi_.reset();
}

// What was handed over before stop() is done still: it may hold what has to be let go of here.
bool Engine::finish_up() {
  const std::lock_guard lock(mutex_);
  ended_ = stopping_ && commands_.empty();
  return ended_;
}

void Engine::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  curl_multi_wakeup(multi_.get());
}

void Engine::command(Task task) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  commands_.push_back(std::move(task));
  curl_multi_wakeup(multi_.get());
}

void Engine::post(Task task, std::chrono::milliseconds delay) {
  if (delay <= std::chrono::milliseconds(0)) return command(std::move(task));
  const auto when = Clock::now() + delay;
  command([this, when, task = std::move(task)] { timers_.emplace(when, task); });
}

void Engine::add(TransferPtr transfer) {
  command([this, transfer = std::move(transfer)] {
    if (transfer->cancelled()) return;
    const auto delay = transfer->request().delay;
    if (delay <= std::chrono::milliseconds(0)) {
      waiting_.push_back(transfer);
      return;
    }
    delayed_.push_back(transfer);
    timers_.emplace(Clock::now() + delay, [this, transfer] {
      if (std::erase(delayed_, transfer) > 0) waiting_.push_back(transfer);
    });
  });
}

void Engine::remove(TransferPtr transfer) {
  command([this, transfer = std::move(transfer)] { drop(transfer); });
}

void Engine::run_commands() {
  std::vector<Task> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (Task& task : commands) {
    task();
    task = nullptr;
  }
}

void Engine::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
}

EasyHandle Engine::take_easy() {
  if (spare_.empty()) {
    EasyHandle easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    return easy;
  }
  EasyHandle easy = std::move(spare_.back());
  spare_.pop_back();
  return easy;
}

void Engine::start_waiting() {
  if (settings_.options.cancel != nullptr && settings_.options.cancel->requested()) {
    interrupt_all();
  }
  while (!waiting_.empty() && active_.size() < settings_.options.connections) {
    TransferPtr transfer = std::move(waiting_.front());
    waiting_.pop_front();
    if (!transfer->cancelled()) start(std::move(transfer));
  }
}

void Engine::start(TransferPtr transfer) {
  if (auto ready = transfer->prepare(take_easy(), settings_, *this); !ready) {
    transfer->finish(std::move(ready));
    return;
  }
  CURL* const easy = transfer->easy();
  if (const CURLMcode code = curl_multi_add_handle(multi_.get(), easy); code != CURLM_OK) {
    Error error;
    error.operation = "start a request";
    error.reason = curl_multi_strerror(code);
    transfer->finish(Result<void>(std::move(error)));
    return;
  }
  active_.emplace(easy, std::move(transfer));
}

void Engine::reap() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
  }
}

void Engine::end(CURL* easy, CURLcode code) {
  const auto found = active_.find(easy);
  if (found == active_.end()) return;
  const TransferPtr transfer = std::move(found->second);
  active_.erase(found);
  std::erase(paused_, transfer.get());
  curl_multi_remove_handle(multi_.get(), easy);
  transfer->finish(code);
  spare_.push_back(transfer->give_back_easy());
}

void Engine::drop(const TransferPtr& transfer) {
  std::erase(delayed_, transfer);
  std::erase(waiting_, transfer);
  if (transfer->easy() != nullptr && active_.contains(transfer->easy())) {
    end(transfer->easy(), CURLE_ABORTED_BY_CALLBACK);
  }
}

void Engine::look_after_active(Clock::time_point now) {
  std::vector<CURL*> stalled;
  for (const auto& [easy, transfer] : active_) {
    if (transfer->stalled(now, settings_.options.stall_timeout)) stalled.push_back(easy);
  }
  for (CURL* const easy : stalled) end(easy, CURLE_OPERATION_TIMEDOUT);
}

void Engine::interrupt_all() {
  Result<void> reason = settings_.options.cancel->check();
  std::vector<TransferPtr> all(waiting_.begin(), waiting_.end());
  all.insert(all.end(), delayed_.begin(), delayed_.end());
  waiting_.clear();
  delayed_.clear();
  paused_.clear();
  for (const auto& [easy, transfer] : active_) {
    curl_multi_remove_handle(multi_.get(), easy);
    all.push_back(transfer);
  }
  active_.clear();
  for (const TransferPtr& transfer : all) transfer->finish(reason);
}

bool Engine::admit(Transfer& transfer, std::size_t bytes) {
  if (!bucket_.open(Clock::now())) {
    paused_.push_back(&transfer);
    return false;
  }
  bucket_.take(bytes);
  return true;
}

void Engine::resume_paused() {
  // One round: whoever has to wait again stands at the end of the queue.
  for (std::size_t count = paused_.size(); count > 0 && !paused_.empty(); --count) {
    const auto now = Clock::now();
    if (!bucket_.open(now)) return;
    Transfer* const next = paused_.front();
    paused_.pop_front();
    CURL* const easy = next->easy();
    if (const CURLcode code = next->resume(now); code != CURLE_OK) end(easy, code);
  }
}

int Engine::poll_timeout() {
  {
    const std::lock_guard lock(mutex_);
    if (!commands_.empty() || stopping_) return 0;
  }
  if (!waiting_.empty() && active_.size() < settings_.options.connections) return 0;
  const bool watching = !active_.empty() || !delayed_.empty();
  std::int64_t timeout = watching ? kTick : kIdle;
  if (!timers_.empty()) {
    const auto left = timers_.begin()->first - Clock::now();
    timeout = std::min(timeout, std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }
  if (!paused_.empty()) {
    timeout = std::min(timeout, std::max<std::int64_t>(1, bucket_.wait().count()));
  }
  return static_cast<int>(std::max<std::int64_t>(0, timeout));
}

}  // namespace shunt::remote
