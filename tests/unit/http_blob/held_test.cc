// Receivers that have no room for now: their downloads are held, alone, however long.
#include <atomic>
#include <future>
#include <thread>

#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

// Has no room for a byte after `room`, until make_room().
class Full final : public blob::Receiver {
 public:
  explicit Full(std::uint64_t room) : room_(room) {}

  std::uint64_t room(std::uint64_t offset, std::uint64_t wanted) override {
    promised_ = room_ - offset;
    if (promised_ < wanted && !told_.exchange(true)) held_.set_value();
    return promised_;
  }
  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override {
    exact = exact && bytes.size() <= promised_ && offset == received.size();
    promised_ -= bytes.size();
    received += text_of(bytes);
    taken_ += bytes.size();
    return {};
  }
  void finished(Result<void> outcome) override { outcome_.set(std::move(outcome)); }

  // How many bytes have come, while more of them may.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  void wait_until_held() {
    auto held = held_.get_future();
    REQUIRE(held.wait_for(20s) == std::future_status::ready);
  }
  void make_room() { room_ = UINT64_MAX; }
  Result<void> wait() { return outcome_.wait(); }

  std::string received;
  bool exact = true;

 private:
  std::atomic<std::uint64_t> room_;
  std::uint64_t promised_ = 0;
  std::atomic<bool> told_{false};
  std::atomic<std::uint64_t> taken_{0};
  std::promise<void> held_;
  Outcome outcome_;
};

TEST_CASE("a receiver without room holds its download, and no other") {
  FaultServer server({.size = kSize});
  // Time that it is held is not the server's silence.
  const auto client = start_client({.connections = 2, .stall_timeout = 0.6});
  const auto origin = assume_blob(client, blob_at(server.url()), info_of());
  Full full(300'000);
  const auto held = origin->start({0, kSize}, full);
  full.wait_until_held();
  CHECK(full.taken() <= 300'000);
  // Others that take together longer than the server may be silent.
  std::size_t others = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < 1500ms) {
    Sink sink;
    ++others;
    CHECK(download(*origin, {0, kSize}, sink));
    CHECK((sink.received == server.bytes(0, kSize)));
  }
  full.make_room();
  held->resume();
  CHECK(full.wait());
  CHECK(full.exact);
  CHECK((full.received == server.bytes(0, kSize)));
  CHECK(server.requests().size() == 1 + others);  // it was not made again
}

TEST_CASE("a receiver that has room for a little, time and again, gets all of it") {
  struct Picky final : blob::Receiver {
    std::uint64_t room(std::uint64_t /*offset*/, std::uint64_t wanted) override {
      if (wanted <= 20'000) return wanted;
      ++refused;
      return 20'000;
    }
    Result<void> receive(std::uint64_t /*offset*/, std::span<const std::byte> bytes) override {
      received += text_of(bytes);
      return {};
    }
    void finished(Result<void> outcome) override {
      over = true;
      outcome_.set(std::move(outcome));
    }
    std::atomic<unsigned> refused{0};
    std::atomic<bool> over{false};
    std::string received;
    Outcome outcome_;
  };
  FaultServer server({.size = kSize});
  const auto client = start_client();
  const auto origin = assume_blob(client, blob_at(server.url()), info_of());
  Picky picky;
  const auto download = origin->start({0, kSize}, picky);
  for (unsigned seen = 0; !picky.over;) {
    if (seen == picky.refused) {
      std::this_thread::yield();
    } else {
      seen = picky.refused;
      download->resume();
    }
  }
  CHECK(picky.outcome_.wait());
  CHECK(picky.refused > 1);
  CHECK((picky.received == server.bytes(0, kSize)));
}

TEST_CASE("a download that is held can be cancelled, and so can its client") {
  FaultServer server({.size = kSize});
  auto client = start_client();
  auto origin = assume_blob(client, blob_at(server.url()), info_of());
  Full full(100'000);
  auto held = origin->start({0, kSize}, full);
  full.wait_until_held();
  SECTION("by itself") {
    held.reset();
    Sink sink;
    CHECK(download(*origin, {10, 20}, sink));
  }
  SECTION("after it was told to go on, which it cannot") {
    held->resume();
    held->resume();
    held.reset();
  }
  SECTION("with its client") {
    held.reset();
    origin.reset();
    client.reset();
  }
  CHECK(full.taken() <= 100'000);
}

TEST_CASE("a download that is held is resumed where the connection broke") {
  FaultServer server({.size = kSize}, {{.cut_at = 500'000}});
  const auto client = start_client();
  const auto origin = assume_blob(client, blob_at(server.url()), info_of());
  Full full(200'000);
  const auto held = origin->start({0, kSize}, full);
  full.wait_until_held();
  full.make_room();
  held->resume();
  CHECK(full.wait());
  CHECK(full.exact);
  CHECK((full.received == server.bytes(0, kSize)));
}

}  // namespace
}  // namespace shunt::http_blob
