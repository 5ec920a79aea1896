#include "shunt/http/curl_engine.h"

#include <signal.h>

#include <algorithm>
#include <new>
#include <utility>

#include "shunt/base/catching.h"
#include "shunt/base/log.h"

namespace shunt::http {

namespace {

// Longest sleep, in ms, while there is something to check: cancellation, stalls.
constexpr int kTick = 100;
constexpr int kIdle = 60'000;
// A longer time between two checks is not the server's fault: the process was suspended.
constexpr double kLongestWait = 1;

// An exception of one task must not affect the others.
void run_task(const Engine::Task& task) {
  const Result<void> ran = catching([&]() -> Result<void> {
    task();
    return {};
  });
  if (!ran) log::debug("a task of the HTTP client: {}", ran.error().reason);
}

}  // namespace

Engine::Engine(const Settings& settings, MultiHandle multi)
    : settings_(settings), multi_(std::move(multi)), bucket_(settings.options.max_rate) {
  spare_.reserve(settings_.options.connections);
  const long connections = static_cast<long>(settings_.options.connections);
  curl().multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  curl().multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, connections);
}

Result<void> Engine::run() {
  // Signals are for the program's own threads. A write to a closed connection must not end the
  // process, whatever the program does about SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  thread_ = std::this_thread::get_id();

  while (!finish_up()) {
    if (const Result<void> turned = catching([this] { return turn(); }); !turned) {
      end_all(turned.error());
    }
  }

  for (const auto& [easy, transfer] : active_) curl().multi_remove_handle(multi_.get(), easy);
  active_.clear();
  waiting_.clear();
  delayed_.clear();
  timers_.clear();
  spare_.clear();
  multi_.reset();
  return {};
}

Result<void> Engine::turn() {
  run_commands();
  run_timers();
  start_waiting();
  // A handler may block for long; data that arrives for others meanwhile is seen in the next round.
  const auto before = Clock::now();
  in_handlers_ = {};
  int running = 0;
  CURLMcode code = curl().multi_perform(multi_.get(), &running);
  note_waited(before);
  if (code == CURLM_OK) {
    reap();
    look_after_active(before);
    resume_paused();
    const int timeout = poll_timeout();
    const auto since = Clock::now();
    in_handlers_ = {};
    if (timeout > 0) code = curl().multi_poll(multi_.get(), nullptr, 0, timeout, nullptr);
    note_waited(since);
  }
  if (code == CURLM_OK) return {};
  if (code == CURLM_OUT_OF_MEMORY) return out_of_memory();
  Error error;
  error.operation = "wait for servers";
  error.reason = curl().multi_strerror(code);
  return error;
}

// Tasks posted before stop() still run: they may own what has to be released here.
bool Engine::finish_up() {
  const Lock lock(mutex_);
  ended_ = stopping_ && commands_.empty();
  return ended_;
}

void Engine::stop() {
  const Lock lock(mutex_);
  stopping_ = true;
  curl().multi_wakeup(multi_.get());
}

void Engine::command(Task task) {
  const Lock lock(mutex_);
  if (ended_) return;
  commands_.push_back(std::move(task));
  // The thread itself looks before it sleeps.
  if (thread_ != std::this_thread::get_id()) curl().multi_wakeup(multi_.get());
}

void Engine::post(Task task, std::chrono::milliseconds delay) {
  if (delay <= std::chrono::milliseconds(0)) return command(std::move(task));
  const auto when = Clock::now() + delay;
  command([this, when, task = std::move(task)] { timers_.emplace(when, task); });
}

void Engine::add(TransferPtr transfer) {
  command([this, transfer = std::move(transfer)] {
    if (transfer->cancelled()) return;
    Result<void> added = catching([&]() -> Result<void> {
      wait_for(transfer);
      return {};
    });
    if (!added) transfer->finish(std::move(added));
  });
}

void Engine::wait_for(TransferPtr transfer) {
  const auto delay = transfer->request().delay;
  if (delay <= std::chrono::milliseconds(0)) {
    waiting_.push_back(std::move(transfer));
    return;
  }
  delayed_.push_back(transfer);
  timers_.emplace(Clock::now() + delay, [this, transfer] {
    const auto found = std::ranges::find(delayed_, transfer);
    if (found == delayed_.end()) return;
    waiting_.push_back(transfer);
    delayed_.erase(found);
  });
}

void Engine::remove(TransferPtr transfer) noexcept {
  attempt([&] { command([this, transfer] { drop(transfer); }); });
}

void Engine::resume(TransferPtr transfer) {
  command([this, transfer = std::move(transfer)] {
    if (transfer->easy() == nullptr || !active_.contains(transfer->easy())) return;
    const auto now = Clock::now();
    if (const CURLcode code = transfer->resume_held(now); code != CURLE_OK) {
      end(transfer->easy(), code);
    }
  });
}

void Engine::run_commands() {
  std::vector<Task> commands;
  {
    const Lock lock(mutex_);
    commands.swap(commands_);
  }
  for (Task& task : commands) {
    run_task(task);
    task = nullptr;
  }
}

void Engine::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    run_task(task);
  }
}

EasyHandle Engine::take_easy() {
  if (spare_.empty()) {
    EasyHandle easy(curl().easy_init());
    if (!easy) throw std::bad_alloc();
    return easy;
  }
  EasyHandle easy = std::move(spare_.back());
  spare_.pop_back();
  return easy;
}

void Engine::start_waiting() {
  if (settings_.options.cancel != nullptr && settings_.options.cancel->requested()) {
    const Result<void> stopped = settings_.options.cancel->check();
    if (!stopped) end_all(stopped.error());
  }
  while (!waiting_.empty() && active_.size() < settings_.options.connections) {
    TransferPtr transfer = std::move(waiting_.front());
    waiting_.pop_front();
    if (transfer->cancelled()) continue;
    Result<void> started = catching([&] { return start(transfer); });
    if (!started) transfer->finish(std::move(started));
  }
}

Result<void> Engine::start(const TransferPtr& transfer) {
  SHUNT_TRY(transfer->prepare(take_easy(), settings_, *this));
  CURL* const easy = transfer->easy();
  active_.emplace(easy, transfer);
  const CURLMcode code = curl().multi_add_handle(multi_.get(), easy);
  if (code == CURLM_OK) return {};
  active_.erase(easy);
  if (code == CURLM_OUT_OF_MEMORY) return out_of_memory();
  Error error;
  error.operation = "start a request";
  error.reason = curl().multi_strerror(code);
  return error;
}

void Engine::reap() {
  int left = 0;
  while (const CURLMsg* message = curl().multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
  }
}

void Engine::end(CURL* easy, CURLcode code) {
  const auto found = active_.find(easy);
  if (found == active_.end()) return;
  const TransferPtr transfer = std::move(found->second);
  active_.erase(found);
  std::erase(paused_, transfer.get());
  curl().multi_remove_handle(multi_.get(), easy);
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

void Engine::note_waited(Clock::time_point since) {
  const std::chrono::duration<double> waited = Clock::now() - since - in_handlers_;
  waited_ += std::clamp(waited.count(), 0.0, kLongestWait);
}

void Engine::look_after_active(Clock::time_point now) {
  const double waited = std::exchange(waited_, 0);
  std::vector<CURL*> stalled;
  for (const auto& [easy, transfer] : active_) {
    if (transfer->cancelled() || transfer->stalled(now, settings_.options) ||
        transfer->too_slow(waited)) {
      stalled.push_back(easy);
    }
  }
  for (CURL* const easy : stalled) end(easy, CURLE_OPERATION_TIMEDOUT);
}

// Allocates nothing: memory may be what is missing. Requests that handlers make meanwhile arrive as
// commands and are not affected.
void Engine::end_all(const Error& reason) noexcept {
  const auto end_one = [&](const TransferPtr& transfer) {
    Result<void> outcome;
    try {
      outcome = reason;
    } catch (const std::bad_alloc&) {
      outcome = out_of_memory();
    }
    transfer->finish(std::move(outcome));
  };
  paused_.clear();
  while (!waiting_.empty()) {
    const TransferPtr transfer = std::move(waiting_.front());
    waiting_.pop_front();
    end_one(transfer);
  }
  while (!delayed_.empty()) {
    const TransferPtr transfer = std::move(delayed_.back());
    delayed_.pop_back();
    end_one(transfer);
  }
  while (!active_.empty()) {
    const auto node = active_.extract(active_.begin());
    curl().multi_remove_handle(multi_.get(), node.key());
    end_one(node.mapped());
  }
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
  // One round: a transfer that has to wait again goes to the end of the queue.
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
    const Lock lock(mutex_);
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

}  // namespace shunt::http
