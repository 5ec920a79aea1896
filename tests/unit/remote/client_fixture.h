// What the tests of the client and of blobs over HTTP share: a client, and a handler that notes all
// it hears.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <span>
#include <string>

#include "remote/http_client.h"
#include "support/catch.h"
#include "support/fault_server.h"

namespace shunt::remote {

using namespace std::chrono_literals;
using test::BlobServerOptions;
using test::Fault;
using test::FaultServer;
using test::SeenRequest;

inline std::shared_ptr<HttpClient> start_client(const ClientOptions& options = {}) {
  auto client = HttpClient::start(options);
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

}  // namespace shunt::remote
