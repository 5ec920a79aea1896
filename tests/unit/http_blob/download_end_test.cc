// Ending downloads early, measuring them, and faults by chance.
#include <atomic>
#include <thread>

#include "support/fault_profile.h"
#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

// ---- ending early -----------------------------------------------------------------------------

TEST_CASE("after a Download is gone nothing is received, and the way is free for others") {
  FaultServer server({.size = 400 << 20});
  const auto client = start_client({.connections = 1});
  const auto origin = assume_blob(client, blob_at(server.url()), info_of(400 << 20));
  for (int i = 0; i < 20; ++i) {
    struct Slow final : blob::Receiver {
      std::atomic<bool> alive{true};
      std::atomic<bool> heard_after_death{false};
      std::atomic<int> calls{0};
      Result<void> receive(std::uint64_t /*offset*/,
                           std::span<const std::byte> /*bytes*/) override {
        ++calls;
        std::this_thread::sleep_for(200us);
        if (!alive) heard_after_death = true;
        return {};
      }
      void finished(Result<void> /*outcome*/) override { heard_after_death = true; }
    } receiver;
    auto download = origin->start({0, 400 << 20}, receiver);
    while (receiver.calls < 1 + i % 3) std::this_thread::yield();
    download.reset();
    receiver.alive = false;
    std::this_thread::sleep_for(500us);
    CHECK_FALSE(receiver.heard_after_death);
  }
  Sink sink;
  CHECK(download(*origin, {5, 10'000}, sink));
}

TEST_CASE("a Download may be destroyed in finished(), and while it waits to try again") {
  struct Ending final : blob::Receiver {
    std::unique_ptr<blob::Download> download;
    std::promise<bool> gone;
    Result<void> receive(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override {
      return {};
    }
    void finished(Result<void> outcome) override {
      download.reset();
      gone.set_value(outcome.has_value());
    }
  };
  FaultServer server({.size = kSize}, std::vector<Fault>{{}, {.status = 503}});
  const auto client = start_client();
  HttpBlob blob = blob_at(server.url());
  blob.retry.first_delay = blob.retry.longest_delay = 1000;
  const auto origin = assume_blob(client, blob, info_of());
  Ending ending;
  client->post([&] { ending.download = origin->start({0, kSize}, ending); });
  CHECK(ending.gone.get_future().get());

  Sink waiting;
  auto download = origin->start({0, kSize}, waiting);
  while (server.requests().size() < 2) std::this_thread::yield();
  std::this_thread::sleep_for(20ms);
  download.reset();
  CHECK(waiting.received.empty());
}

TEST_CASE("everything may go while a download is under way") {
  FaultServer server({.size = kSize, .rate = 100'000});
  auto client = start_client();
  auto origin = assume_blob(client, blob_at(server.url()), info_of());
  Sink sink;
  auto download = origin->start({0, kSize}, sink);
  std::this_thread::sleep_for(30ms);
  download.reset();
  origin.reset();
  client.reset();
  SUCCEED();
}

TEST_CASE("the client's thread may be the last to hold a download, and the client with it") {
  // As a registry's authorizer does.
  struct Owner final : blob::Authorizer {
    explicit Owner(std::shared_ptr<http::Client> owned) : client(std::move(owned)) {}
    ~Owner() override { gone.set_value(std::this_thread::get_id()); }
    std::string sign(blob::Request& /*request*/) override { return {}; }
    void renew(const blob::Request& /*request*/, const blob::Answer& /*answer*/,
               const std::string& /*used*/, std::function<void(Result<void>)> done) override {
      done({});
    }
    std::promise<std::thread::id> gone;
    std::shared_ptr<http::Client> client;
  };
  FaultServer server({.size = kSize, .rate = 100'000});
  auto client = start_client();
  HttpBlob blob = blob_at(server.url());
  auto owner = std::make_shared<Owner>(client);
  auto gone = owner->gone.get_future();
  blob.authorizer = std::move(owner);
  auto origin = assume_blob(client, std::move(blob), info_of());
  blob = {};
  std::promise<void> go_on;
  std::promise<std::thread::id> busy;
  client->post([&busy, later = go_on.get_future().share()] {
    busy.set_value(std::this_thread::get_id());
    later.wait();
  });
  const auto thread = busy.get_future().get();
  Sink sink;
  auto download = origin->start({0, kSize}, sink);
  download.reset();
  origin.reset();
  client.reset();
  go_on.set_value();
  REQUIRE(gone.wait_for(10s) == std::future_status::ready);
  CHECK(gone.get() == thread);
}

TEST_CASE("a stop that is asked for ends a download, waiting or not") {
  CancelToken cancel;
  const auto client = start_client({.cancel = &cancel});
  FaultServer server({.size = kSize, .rate = 10'000}, std::vector<Fault>{{}, {.status = 503}});
  HttpBlob blob = blob_at(server.url());
  blob.retry.first_delay = blob.retry.longest_delay = 1000;
  const auto origin = assume_blob(client, blob, info_of());
  Sink reading, waiting;
  const auto one = origin->start({0, kSize}, reading);
  while (server.requests().empty()) std::this_thread::yield();
  const auto two = origin->start({0, kSize}, waiting);
  while (server.requests().size() < 2) std::this_thread::yield();
  std::this_thread::sleep_for(20ms);
  cancel.request(15);
  for (Sink* const sink : {&reading, &waiting}) {
    const auto outcome = sink->wait();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kInterrupted);
  }
  CHECK(open_blob(client, blob, {}).error().code == ErrorCode::kInterrupted);
}

// ---- measurements, chance ---------------------------------------------------------------------

TEST_CASE("latency and rate are measured") {
  FaultServer server({.size = kSize, .latency = 0.03, .rate = 2'000'000});
  const auto client = start_client();
  const auto opened = open_blob(client, blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->origin->latency() > 0.025);
  CHECK(opened->origin->latency() < 1);
  Sink sink;
  REQUIRE(download(*opened->origin, {0, kSize}, sink));
  CHECK(opened->origin->rate() > 500'000);
  CHECK(opened->origin->rate() < 3'000'000);
}

TEST_CASE("whatever goes wrong by chance, what arrives is right") {
  const auto client = start_client();
  for (int seed = 1; seed <= 10; ++seed) {
    FaultServer server({.size = kSize},
                       test::make_fault_profile(fmt::format(
                           "cut=0.2,reset=0.1,close=0.1,503=0.1,429=0.05,start=0.05,end=0.05,"
                           "total=0.05,whole=0.05,chunked=0.05,seed={}",
                           seed)));
    HttpBlob blob = blob_at(server.url());
    blob.retry.attempts = 30;
    const auto origin = assume_blob(client, blob, info_of());
    std::vector<Sink> sinks(6);
    std::vector<std::unique_ptr<blob::Download>> downloads;
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      downloads.push_back(origin->start(ByteRange::of(i * 100'001, 100'001), sinks[i]));
    }
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      CHECK(sinks[i].wait());
      CHECK(sinks[i].in_order);
      REQUIRE(sinks[i].first);
      const std::uint64_t end =
          *sinks[i].first == i * 100'001 && sinks[i].received.size() == 100'001 ? (i + 1) * 100'001
                                                                                : kSize;
      CHECK((sinks[i].received == server.bytes(*sinks[i].first, end)));
    }
  }
}

}  // namespace
}  // namespace shunt::http_blob
