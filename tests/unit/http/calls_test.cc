// Many requests at once: their limits, their times, and how they are ended.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "support/waiting.h"
#include "unit/http/client_fixture.h"

namespace shunt::http {
namespace {

TEST_CASE("no more requests at once than connections") {
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  FaultServer server({.size = 10}, [&](const SeenRequest&) {
    const int now = ++at_once;
    int before = most;
    while (before < now && !most.compare_exchange_weak(before, now)) {
    }
    while (most < 3) std::this_thread::yield();
    --at_once;
    return Fault();
  });
  const test::HangGuard guard;
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
  const auto client = start_client({.connections = 1, .connect_timeout = 60});
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    CHECK(get_whole(*client, request_for(first.url()), 10));
    CHECK(get_whole(*client, request_for(second.url()), 10));
  }
  CHECK(std::chrono::steady_clock::now() - start < 60s);
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
  late.delay = 1h;
  const auto three = client->send(late, delayed);
  while (active.received_ == 0) std::this_thread::yield();
  cancel.request(2);
  for (Recorder* const recorder : {&active, &waiting, &delayed}) {
    const auto outcome = recorder->wait();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kInterrupted);
  }
  const auto later = get_whole(*client, request_for(server.url()), 10);
  REQUIRE_FALSE(later);
  CHECK(later.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("a server that falls silent is given up, one that is slow is not") {
  // Silent for longer than a Recorder is waited for.
  FaultServer server({.size = 40'000}, [](const SeenRequest& seen) {
    if (seen.target == "/mute") return Fault{.latency = 60};
    if (seen.target == "/stuck") return Fault{.cut_at = 1000, .stall = 60};
    return Fault{.rate = 25'000};  // 1.6 s in all
  });
  const auto client = start_client({.stall_timeout = 1, .answer_timeout = 1});
  Recorder mute, stuck, slow;
  const auto one = client->send(request_for(server.url("/mute")), mute);
  const auto two = client->send(request_for(server.url("/stuck")), stuck);
  const auto three = client->send(request_for(server.url("/slow")), slow);
  for (Recorder* const recorder : {&mute, &stuck}) {
    const auto outcome = recorder->wait();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kNetwork);
    CHECK_THAT(outcome.error().reason, Catch::Matchers::Contains("no data has come"));
  }
  CHECK(slow.wait());
  CHECK(slow.body_.size() == 40'000);
}

TEST_CASE("a handler that blocks for long makes no transfer a stalled one") {
  struct Blocking final : Recorder {
    Result<void> body(std::span<const std::byte> bytes) override {
      if (received_ == 0) std::this_thread::sleep_for(1500ms);
      return Recorder::body(bytes);
    }
  };
  FaultServer server({.size = 60'000, .rate = 50'000});
  const auto client = start_client({.stall_timeout = 1, .answer_timeout = 1});
  Recorder other;
  Blocking blocking;
  const auto one = client->send(request_for(server.url()), other);
  const auto two = client->send(request_for(server.url()), blocking);
  CHECK(other.wait());
  CHECK(blocking.wait());
}

TEST_CASE("one rate for all connections together") {
  FaultServer server({.size = 100'000});
  const auto client = start_client(
      {.connections = 4, .max_rate = 200'000, .stall_timeout = 1, .answer_timeout = 1});
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
  CHECK(took.count() > 1.6);  // 400,000 bytes at 200,000 a second, and some at once
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
  Client* const raw = client.get();
  auto kept = std::make_shared<std::shared_ptr<Client>>(std::move(client));
  raw->post([kept, &done] {
    kept->reset();
    done.set_value();
  });
  kept.reset();
  CHECK(done.get_future().wait_for(20s) == std::future_status::ready);
}

// Run by the next one, in a process of its own: it ends while a handler still works.
TEST_CASE("a process with a client whose last owner is on its own thread", "[.orphan]") {
  auto client = start_client();
  std::promise<void> released;
  Client* const raw = client.get();
  auto kept = std::make_shared<std::shared_ptr<Client>>(std::move(client));
  raw->post([kept, &released] {
    kept->reset();
    released.set_value();
    std::this_thread::sleep_for(200ms);
    constexpr std::string_view kDone = "the thread has ended";
    static_cast<void>(::write(STDOUT_FILENO, kDone.data(), kDone.size()));
  });
  kept.reset();
  released.get_future().get();
  std::exit(0);
}

TEST_CASE("a process does not end under the thread of a client") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  FILE* const child = ::popen(("'" + self + "' '[.orphan]'").c_str(), "r");
  REQUIRE(child != nullptr);
  char text[4096];
  const std::size_t size = std::fread(text, 1, sizeof text, child);
  CHECK(::pclose(child) == 0);
  CHECK(std::string_view(text, size).find("the thread has ended") != std::string_view::npos);
}

}  // namespace
}  // namespace shunt::http
