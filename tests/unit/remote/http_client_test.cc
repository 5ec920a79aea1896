#include "remote/http_client.h"

#include <fmt/format.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "support/catch.h"
#include "support/fault_server.h"

namespace shunt::remote {
namespace {

using namespace std::chrono_literals;
using test::BlobServerOptions;
using test::Fault;
using test::FaultServer;
using test::SeenRequest;

std::shared_ptr<HttpClient> start_client(const ClientOptions& options = {}) {
  auto client = HttpClient::start(options);
  REQUIRE(client);
  return *client;
}

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
  void finished(Result<void> outcome) override { outcome_.set_value(std::move(outcome)); }

  Result<void> wait() {
    auto later = outcome_.get_future();
    REQUIRE(later.wait_for(20s) == std::future_status::ready);
    return later.get();
  }
  Answer answer_;
  int answers_ = 0;
  std::string body_;
  std::atomic<std::size_t> received_{0};
  std::promise<Result<void>> outcome_;
};

Request request_for(const std::string& url) {
  Request request;
  request.url = url;
  return request;
}

TEST_CASE("a range, its fields and its body arrive") {
  FaultServer server({.size = 100'000});
  const auto client = start_client();
  Request request = request_for(server.url());
  request.range = ByteRange{10, 70'000};
  request.fields = {{"X-One", "1"}, {"X-Empty", ""}};
  Recorder recorder;
  const auto call = client->send(request, recorder);
  REQUIRE(recorder.wait());
  CHECK(recorder.answers_ == 1);
  CHECK(recorder.answer_.status == 206);
  REQUIRE(recorder.answer_.find("CONTENT-range") != nullptr);
  CHECK(*recorder.answer_.find("CONTENT-range") == "bytes 10-69999/100000");
  CHECK(recorder.answer_.find("X-Nothing") == nullptr);
  CHECK(recorder.body_ == server.bytes(10, 70'000));

  const SeenRequest seen = server.requests().at(0);
  CHECK(seen.field("range") == "bytes=10-69999");
  CHECK(seen.field("x-one") == "1");
  CHECK(seen.has("x-empty"));
  CHECK(seen.field("user-agent").starts_with("shunt/"));
  CHECK_FALSE(seen.has("accept-encoding"));
  CHECK_FALSE(seen.has("authorization"));
}

TEST_CASE("HEAD and POST") {
  FaultServer server({.size = 1000});
  const auto client = start_client();
  Request head = request_for(server.url());
  head.method = "HEAD";
  const auto answer = get_whole(*client, head, 0);
  REQUIRE(answer);
  CHECK(answer->answer.status == 200);
  CHECK(answer->body.empty());
  Request post = request_for(server.url("/token"));
  post.method = "POST";
  post.body = "grant_type=password";
  REQUIRE(get_whole(*client, post, 1000));
  CHECK(server.requests().at(0).method == "HEAD");
  CHECK(server.requests().at(1).method == "POST");
  CHECK(server.requests().at(1).body == "grant_type=password");
  CHECK_FALSE(server.requests().at(1).has("expect"));
}

TEST_CASE("get_whole takes no more than it may, and any status") {
  FaultServer server({.size = 1000},
                     std::vector<Fault>{{}, {}, {.status = 404, .body_text = "no"}});
  const auto client = start_client();
  const auto whole = get_whole(*client, request_for(server.url()), 1000);
  REQUIRE(whole);
  CHECK(whole->body == server.bytes(0, 1000));
  const auto larger = get_whole(*client, request_for(server.url()), 999);
  REQUIRE_FALSE(larger);
  CHECK(larger.error().code == ErrorCode::kNetwork);
  const auto missing = get_whole(*client, request_for(server.url()), 1000);
  REQUIRE(missing);
  CHECK(missing->answer.status == 404);
  CHECK(missing->body == "no");
}

TEST_CASE("connections are kept and used again") {
  FaultServer server({.size = 1000});
  const auto client = start_client();
  for (int i = 0; i < 5; ++i) REQUIRE(get_whole(*client, request_for(server.url()), 1000));
  CHECK(server.connections() == 1);
}

TEST_CASE("redirects are handed on, not followed") {
  FaultServer server({}, std::vector<Fault>{{.status = 302, .fields = {{"Location", "/other"}}}});
  const auto client = start_client();
  const auto answer = get_whole(*client, request_for(server.url()), 1000);
  REQUIRE(answer);
  CHECK(answer->answer.status == 302);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("no answer, half a body, a reset: network errors with URL and reason") {
  const std::string raw_head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
  FaultServer server({.size = 100'000}, [&](const SeenRequest& seen) {
    if (seen.target == "/none") return Fault{.no_answer = true};
    if (seen.target == "/half") return Fault{.raw = raw_head};
    return Fault{.cut_at = 50'000, .reset = true};
  });
  const auto client = start_client();
  for (const char* const target : {"/none", "/half", "/reset"}) {
    INFO(target);
    Request request = request_for(server.url(target));
    request.fields = {{"Authorization", "Basic c2VjcmV0"}};
    const auto answer = get_whole(*client, request, 1 << 20);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kNetwork);
    CHECK(answer.error().path == server.url(target));
    CHECK(answer.error().operation == "GET");
    CHECK_FALSE(answer.error().reason.empty());
    CHECK(answer.error().describe().find("c2VjcmV0") == std::string::npos);
  }
}

TEST_CASE("a host that does not exist, a port where nobody is: with a hint") {
  const auto client = start_client();
  const auto nobody = get_whole(*client, request_for("http://127.0.0.1:1/x"), 10);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::kNetwork);
  CHECK_FALSE(nobody.error().hint.empty());
  const auto file = get_whole(*client, request_for("file:///etc/hostname"), 1 << 20);
  REQUIRE_FALSE(file);
  CHECK(file.error().code == ErrorCode::kUsage);
}

TEST_CASE("fields that would break out of their line are refused") {
  FaultServer server;
  const auto client = start_client();
  for (const Field& bad : {Field{"X", "a\r\nY: b"}, Field{"X\nY", "a"}, Field{"X: y", "a"},
                           Field{"", "a"}, Field{"X", std::string("a\0b", 3)}}) {
    Request request = request_for(server.url());
    request.fields = {bad};
    const auto answer = get_whole(*client, request, 10);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kUsage);
  }
  CHECK(server.requests().empty());
}

TEST_CASE("the header section of an answer is bounded") {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += fmt::format("X-{}: y\r\n", i);
  const std::string large =
      "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\nContent-Length: 0\r\n\r\n";
  FaultServer server({}, std::vector<Fault>{{.raw = many + "\r\n"}, {.raw = large}});
  const auto client = start_client();
  for (int i = 0; i < 2; ++i) {
    const auto answer = get_whole(*client, request_for(server.url()), 10);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kNetwork);
    CHECK(answer.error().reason.find("header section") != std::string::npos);
  }
}

TEST_CASE("interim answers are passed over, folded lines are joined") {
  const std::string raw =
      "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n"
      "HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nContent-Length: 2\r\n\r\nok";
  FaultServer server({}, std::vector<Fault>{{.raw = raw}});
  const auto client = start_client();
  const auto answer = get_whole(*client, request_for(server.url()), 10);
  REQUIRE(answer);
  CHECK(answer->answer.status == 200);
  CHECK(answer->answer.find("X-Early") == nullptr);
  REQUIRE(answer->answer.find("X-Folded") != nullptr);
  CHECK(*answer->answer.find("X-Folded") == "a b");
  CHECK(answer->body == "ok");
}

TEST_CASE("an error of the handler ends the request and comes back") {
  class Refusing final : public Recorder {
   public:
    Result<void> body(std::span<const std::byte> /*bytes*/) override { return corrupt("not mine"); }
  };
  FaultServer server;
  const auto client = start_client();
  Refusing handler;
  const auto call = client->send(request_for(server.url()), handler);
  const auto outcome = handler.wait();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kCorrupt);
  CHECK(outcome.error().reason == "not mine");
}

TEST_CASE("no more requests at once than connections") {
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  FaultServer server({.size = 10}, [&](const SeenRequest&) {
    const int now = ++at_once;
    int before = most;
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    std::this_thread::sleep_for(20ms);
    --at_once;
    return Fault();
  });
  const auto client = start_client({.connections = 3});
  std::vector<Recorder> recorders(12);
  std::vector<std::unique_ptr<Call>> calls;
  for (Recorder& recorder : recorders) {
    calls.push_back(client->send(request_for(server.url()), recorder));
  }
  for (Recorder& recorder : recorders) CHECK(recorder.wait());
  CHECK(most == 3);
  CHECK(server.connections() == 3);
}

TEST_CASE("one connection is enough for several servers in turn") {
  FaultServer first({.size = 10});
  FaultServer second({.size = 10});
  const auto client = start_client({.connections = 1, .connect_timeout = 2});
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    CHECK(get_whole(*client, request_for(first.url()), 10));
    CHECK(get_whole(*client, request_for(second.url()), 10));
  }
  CHECK(std::chrono::steady_clock::now() - start < 1900ms);
}

TEST_CASE("after a Call is gone nothing is heard any more, from whatever thread") {
  FaultServer server({.size = 200 << 20});
  const auto client = start_client();
  for (int i = 0; i < 30; ++i) {
    struct Slow final : AnswerHandler {
      std::atomic<bool> alive{true};
      std::atomic<bool> heard_after_death{false};
      std::atomic<int> bodies{0};
      Result<void> answered(const Answer& /*answer*/) override { return {}; }
      Result<void> body(std::span<const std::byte> /*bytes*/) override {
        ++bodies;
        std::this_thread::sleep_for(200us);
        if (!alive) heard_after_death = true;  // the destructor did not wait for this call
        return {};
      }
      void finished(Result<void> /*outcome*/) override { heard_after_death = true; }
    } handler;
    auto call = client->send(request_for(server.url()), handler);
    while (handler.bodies < 1 + i % 3) std::this_thread::yield();
    call.reset();
    handler.alive = false;
    std::this_thread::sleep_for(1ms);
    CHECK_FALSE(handler.heard_after_death);
  }
}

TEST_CASE("a Call may be destroyed in its own calls") {
  struct Suicidal final : Recorder {
    std::unique_ptr<Call> call;
    std::promise<void> gone;
    bool in_finished = false;
    bool finished_called = false;
    Result<void> body(std::span<const std::byte> /*bytes*/) override {
      if (!in_finished && call) {
        call.reset();
        gone.set_value();
      }
      return {};
    }
    void finished(Result<void> /*outcome*/) override {
      finished_called = true;
      call.reset();
      gone.set_value();
    }
  };
  FaultServer server({.size = 1 << 20});
  const auto client = start_client();
  for (const bool in_finished : {false, true}) {
    Suicidal handler;
    handler.in_finished = in_finished;
    // Sent from the client's thread, so that nothing is heard before the Call is kept.
    client->post([&] { handler.call = client->send(request_for(server.url()), handler); });
    REQUIRE(handler.gone.get_future().wait_for(10s) == std::future_status::ready);
    REQUIRE(get_whole(*client, request_for(server.url()), 1 << 20));  // a round trip later
    CHECK(handler.finished_called == in_finished);
  }
}

TEST_CASE("a Call that waits, or is delayed, is cancelled without being sent") {
  FaultServer server({.size = 1000}, [](const SeenRequest&) { return Fault{.latency = 0.1}; });
  const auto client = start_client({.connections = 1});
  Recorder first, second, third;
  const auto one = client->send(request_for(server.url("/1")), first);
  auto two = client->send(request_for(server.url("/2")), second);
  Request late = request_for(server.url("/3"));
  late.delay = 50ms;
  auto three = client->send(late, third);
  two.reset();
  three.reset();
  CHECK(first.wait());
  REQUIRE(get_whole(*client, request_for(server.url("/4")), 1000));
  CHECK(server.requests().size() == 2);
}

TEST_CASE("delays are kept") {
  FaultServer server({.size = 10});
  const auto client = start_client();
  const auto start = std::chrono::steady_clock::now();
  Request request = request_for(server.url());
  request.delay = 60ms;
  REQUIRE(get_whole(*client, request, 10));
  CHECK(std::chrono::steady_clock::now() - start >= 60ms);

  std::promise<std::vector<int>> done;
  auto order = std::make_shared<std::vector<int>>();
  client->post(
      [=, &done] {
        order->push_back(3);
        done.set_value(*order);
      },
      40ms);
  client->post([=] { order->push_back(2); }, 10ms);
  client->post([=] { order->push_back(1); });
  CHECK(done.get_future().get() == std::vector<int>{1, 2, 3});
}

TEST_CASE("a stop that is asked for ends all requests soon") {
  FaultServer server({.size = 1 << 20, .rate = 1000});
  CancelToken cancel;
  const auto client = start_client({.connections = 1, .cancel = &cancel});
  Recorder active, waiting, delayed;
  const auto one = client->send(request_for(server.url()), active);
  const auto two = client->send(request_for(server.url()), waiting);
  Request late = request_for(server.url());
  late.delay = 10s;
  const auto three = client->send(late, delayed);
  while (active.received_ == 0) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  cancel.request(2);
  for (Recorder* const recorder : {&active, &waiting, &delayed}) {
    const auto outcome = recorder->wait();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kInterrupted);
  }
  CHECK(std::chrono::steady_clock::now() - start < 1900ms);
  const auto later = get_whole(*client, request_for(server.url()), 10);
  REQUIRE_FALSE(later);
  CHECK(later.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("a server that falls silent is given up, one that is slow is not") {
  FaultServer server({.size = 40'000}, [](const SeenRequest& seen) {
    if (seen.target == "/mute") return Fault{.latency = 10};
    if (seen.target == "/stuck") return Fault{.cut_at = 1000, .stall = 10};
    return Fault{.rate = 50'000};  // 0.8 s in all
  });
  const auto client = start_client({.stall_timeout = 0.3});
  for (const char* const target : {"/mute", "/stuck"}) {
    const auto start = std::chrono::steady_clock::now();
    const auto answer = get_whole(*client, request_for(server.url(target)), 1 << 20);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kNetwork);
    CHECK(answer.error().reason.find("no byte has come") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - start < 2s);
  }
  const auto slow = get_whole(*client, request_for(server.url("/slow")), 1 << 20);
  REQUIRE(slow);
  CHECK(slow->body.size() == 40'000);
}

TEST_CASE("a handler that blocks for long makes no transfer a stalled one") {
  struct Blocking final : Recorder {
    Result<void> body(std::span<const std::byte> bytes) override {
      if (received_ == 0) std::this_thread::sleep_for(700ms);
      return Recorder::body(bytes);
    }
  };
  FaultServer server({.size = 60'000, .rate = 50'000});
  const auto client = start_client({.stall_timeout = 0.3});
  Recorder other;
  Blocking blocking;
  const auto one = client->send(request_for(server.url()), other);
  const auto two = client->send(request_for(server.url()), blocking);
  CHECK(other.wait());
  CHECK(blocking.wait());
}

TEST_CASE("one rate for all connections together") {
  FaultServer server({.size = 100'000});
  const auto client = start_client({.connections = 4, .max_rate = 800'000, .stall_timeout = 0.2});
  std::vector<Recorder> recorders(4);
  std::vector<std::unique_ptr<Call>> calls;
  const auto start = std::chrono::steady_clock::now();
  for (Recorder& recorder : recorders) {
    calls.push_back(client->send(request_for(server.url()), recorder));
  }
  for (Recorder& recorder : recorders) {
    CHECK(recorder.wait());
    CHECK(recorder.body_ == server.bytes(0, 100'000));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(took.count() > 0.40);  // 400,000 bytes at 800,000 a second, and a twentieth at once
  CHECK(took.count() < 3);
}

TEST_CASE("the client may end while requests are under way") {
  FaultServer server({.size = 1 << 20, .rate = 1000});
  auto client = start_client();
  Recorder recorder;
  auto call = client->send(request_for(server.url()), recorder);
  while (recorder.received_ == 0) std::this_thread::yield();
  client.reset();
  call.reset();
  SUCCEED();
}

TEST_CASE("the last owner of a client may be on its own thread") {
  auto client = start_client();
  std::promise<void> done;
  HttpClient* const raw = client.get();
  auto kept = std::make_shared<std::shared_ptr<HttpClient>>(std::move(client));
  raw->post([kept, &done] {
    kept->reset();
    done.set_value();
  });
  kept.reset();
  CHECK(done.get_future().wait_for(5s) == std::future_status::ready);
}

TEST_CASE("what is logged holds no credentials") {
  std::ostringstream text;
  const auto before = spdlog::default_logger();
  auto logger = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  {
    FaultServer server({.size = 10});
    const auto client = start_client();
    Request request = request_for(server.url("/blob?X-Amz-Signature=hunter2&part=7"));
    request.fields = {{"Authorization", "Bearer hunter2"}};
    REQUIRE(get_whole(*client, request, 10));
  }
  spdlog::set_default_logger(before);
  CHECK(text.str().find("/blob?X-Amz-Signature=...&part=7") != std::string::npos);
  CHECK(text.str().find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace shunt::remote
