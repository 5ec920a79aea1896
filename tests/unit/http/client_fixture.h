// What the tests of the client and of blobs over HTTP share: a client, and a handler that notes all
// it hears.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "shunt/http/client.h"
#include "shunt/http/url.h"
#include "support/catch.h"
#include "support/fault_server.h"

namespace shunt::http {

using namespace std::chrono_literals;
using test::BlobServerOptions;
using test::Fault;
using test::FaultServer;
using test::SeenRequest;

inline std::shared_ptr<Client> start_client(const ClientOptions& options = {}) {
  auto client = Client::start(options);
  REQUIRE(client);
  return *client;
}

// What finished() was told, for the thread of the test.
class Outcome {
 public:
  void set(Result<void> outcome) { told_.set_value(std::move(outcome)); }
  Result<void> wait() {
    auto later = told_.get_future();
    REQUIRE(later.wait_for(20s) == std::future_status::ready);
    return later.get();
  }

 private:
  std::promise<Result<void>> told_;
};

// Notes all it hears.
class Recorder : public AnswerHandler {
 public:
  Result<void> answered(const Answer& answer) override {
    answer_ = answer;
    ++answers_;
    return {};
  }
  Result<void> body(std::span<const std::byte> bytes) override {
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    received_ += bytes.size();
    return {};
  }
  void finished(Result<void> outcome) override { outcome_.set(std::move(outcome)); }

  Result<void> wait() { return outcome_.wait(); }
  Answer answer_;
  int answers_ = 0;
  std::string body_;
  std::atomic<std::size_t> received_{0};
  Outcome outcome_;
};

inline Request request_for(const std::string& url) {
  Request request;
  request.url = url;
  return request;
}

// Gathers an answer, and lets another thread wait for it.
class Collector final : public AnswerHandler {
 public:
  Collector(std::string shown_url, std::size_t limit)
      : shown_url_(std::move(shown_url)), limit_(limit) {}

  Result<void> answered(const Answer& answer) override {
    whole_.answer = answer;
    return {};
  }
  Result<void> body(std::span<const std::byte> bytes) override {
    if (bytes.size() > limit_ - whole_.body.size()) {
      Error error;
      error.code = ErrorCode::kNetwork;
      error.path = shown_url_;
      error.reason = "the answer is larger than it may be";
      return error;
    }
    whole_.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  void finished(Result<void> outcome) override {
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    ended_ = true;
    changed_.notify_all();
  }
  Result<WholeAnswer> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
    SHUNT_TRY(std::move(outcome_));
    return std::move(whole_);
  }

 private:
  const std::string shown_url_;
  const std::size_t limit_;
  WholeAnswer whole_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  Result<void> outcome_;
};

// A small answer as a whole; more than `limit` bytes of it are an error. One attempt, any status is
// a success.
inline Result<WholeAnswer> get_whole(Client& client, Request request, std::size_t limit) {
  Collector collector(show_url(request.url), limit);
  const auto call = client.send(std::move(request), collector);
  return collector.wait();
}

}  // namespace shunt::http
