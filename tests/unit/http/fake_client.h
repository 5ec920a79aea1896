// A Client without a network: a function answers, on a thread of its own, at once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "shunt/http/client.h"
#include "support/catch.h"

namespace shunt::http::fake {

struct FakeAnswer {
  int status = 200;
  std::vector<Field> fields;
  std::string body;
  std::optional<Error> error;  // the outcome; with status 0, no answer comes before it
};

inline std::string field_of(const Request& request, const std::string& name) {
  std::string value;
  for (const Field& field : request.fields) {
    if (field.name == name) value += field.value + ";";
  }
  if (!value.empty()) value.pop_back();
  return value;
}

class FakeClient final : public Client {
 public:
  using Server = std::function<FakeAnswer(const Request&)>;

  explicit FakeClient(Server server) : server_(std::move(server)), thread_([this] { run(); }) {}
  ~FakeClient() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  FakeClient(const FakeClient&) = delete;
  FakeClient& operator=(const FakeClient&) = delete;

  std::unique_ptr<Call> send(Request request, AnswerHandler& handler) override {
    auto gate = std::make_shared<Gate>();
    post([this, gate, request = std::move(request), &handler] {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const FakeAnswer answer = server_(request);
      const std::lock_guard lock(gate->running);
      if (gate->cancelled) return;
      gate->runner = std::this_thread::get_id();
      deliver(answer, handler);
      gate->runner = std::thread::id();
    });
    return std::make_unique<FakeCall>(gate);
  }
  // Delays are not waited for.
  void post(std::function<void()> task, std::chrono::milliseconds /*delay*/ = {}) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_all();
  }
  const ClientOptions& options() const override { return options_; }

  // Waits until nothing is left to do.
  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return tasks_.empty() && !busy_; });
  }
  [[nodiscard]] std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  struct Gate {
    std::mutex running;
    std::atomic<bool> cancelled{false};
    std::atomic<std::thread::id> runner{};
  };
  class FakeCall final : public Call {
   public:
    explicit FakeCall(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    ~FakeCall() override {
      gate_->cancelled = true;
      if (gate_->runner.load() != std::this_thread::get_id()) std::lock_guard(gate_->running);
    }
    FakeCall(const FakeCall&) = delete;
    FakeCall& operator=(const FakeCall&) = delete;

   private:
    std::shared_ptr<Gate> gate_;
  };

  static void deliver(const FakeAnswer& fake, AnswerHandler& handler) {
    Result<void> outcome;
    if (fake.error) outcome = *fake.error;
    if (fake.status != 0) {
      Answer answer;
      answer.status = fake.status;
      answer.fields = fake.fields;
      auto heard = handler.answered(answer);
      // In two pieces, as bodies come.
      const std::size_t half = fake.body.size() / 2;
      for (const auto& piece : {fake.body.substr(0, half), fake.body.substr(half)}) {
        if (heard && !piece.empty()) heard = handler.body(std::as_bytes(std::span(piece)));
      }
      if (!heard) outcome = heard;
    }
    handler.finished(std::move(outcome));
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      busy_ = true;
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
      busy_ = false;
      changed_.notify_all();
    }
  }

  const Server server_;
  const ClientOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<Request> requests_;
  bool stopping_ = false;
  bool busy_ = false;
  std::thread thread_;
};

}  // namespace shunt::http::fake

namespace shunt::http {

using Catch::Contains;
using fake::FakeAnswer;
using fake::FakeClient;
using fake::field_of;

}  // namespace shunt::http
