// Who is served first, and what happens while others hold what a download needs.
#include <chrono>
#include <future>
#include <mutex>
#include <thread>

#include "shunt/cache/cached_source.h"
#include "shunt/cache/memory_store.h"
#include "support/waiting.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

// An entry whose answers about room a test decides.
class RoomStore final : public BlockStore {
 public:
  explicit RoomStore(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}

  std::function<Room(std::uint64_t bytes)> room = [](std::uint64_t) { return Room::kGranted; };
  std::function<void(std::uint64_t block)> before_put = [](std::uint64_t) {};

  std::uint64_t size() const override { return entry_->size(); }
  std::uint64_t block_size() const override { return entry_->block_size(); }
  bool has(std::uint64_t block) const override { return entry_->has(block); }
  BlockRun next_known(BlockRun within) const override { return entry_->next_known(within); }
  bool check(std::uint64_t block) override { return entry_->check(block); }
  BlockRun next_missing(BlockRun within) const override { return entry_->next_missing(within); }
  Claim claim(BlockRun run) override { return entry_->claim(run); }
  void release(BlockRun run) override { entry_->release(run); }
  Room admit(std::uint64_t bytes) override { return room(bytes); }
  Result<void> put(std::uint64_t first, std::span<const std::byte> bytes) override {
    before_put(first);
    return entry_->put(first, bytes);
  }
  Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override {
    return entry_->read(offset, into);
  }
  io::FileRange backing_file() const override { return entry_->backing_file(); }

 private:
  std::shared_ptr<Entry> entry_;
};

struct RoomRig {
  Disk disk{url_info(kSize)};
  std::shared_ptr<RoomStore> store =
      std::make_shared<RoomStore>(open_entry(*disk.cache, disk.info));
  [[nodiscard]] Rig rig(const OriginScript& script = {}, const SourceOptions& options = {}) const {
    return {store, disk.info, script, options};
  }
};

// ---- room ---------------------------------------------------------------------------------------

TEST_CASE("filler: room that cannot be told of is asked for again") {
  const RoomRig room;
  std::atomic<int> asked{0};
  room.store->room = [&](std::uint64_t) { return ++asked <= 3 ? Room::kBusy : Room::kGranted; };
  const Rig rig = room.rig();
  SECTION("by a reader") {
    CHECK(read_all(*rig.source, 1) == Read::kRight);
  }
  SECTION("for a head start") {
    rig.source->take_head(noise(1, 0, 2 * kBlock));
    CHECK(rig.source->missing({0, kSize}) == std::vector<ByteRange>{{2 * kBlock, kSize}});
    CHECK(rig.origin->requests().empty());
  }
  CHECK(asked > 3);
  CHECK(rig.source->backing_file().file != nullptr);
}

TEST_CASE("filler: room that nobody can tell of is done without at last") {
  const RoomRig room;
  room.store->room = [](std::uint64_t) { return Room::kBusy; };
  SourceOptions options;
  options.patience = 50ms;
  OriginScript script;
  script.everything = GENERATE(false, true);
  const Rig rig = room.rig(script, options);
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(rig.source->backing_file().file == nullptr);
}

TEST_CASE("filler: nobody else waits while room is asked for") {
  const RoomRig room;
  std::promise<void> asked;
  std::promise<void> answer;
  std::atomic<bool> first{true};
  room.store->room = [&](std::uint64_t) {
    if (first.exchange(false)) {
      asked.set_value();
      answer.get_future().wait();
    }
    return Room::kGranted;
  };
  const Rig rig = room.rig();
  auto reader = std::async(std::launch::async,
                           [&] { return read_and_compare(*rig.source, 1, 0, 3 * kBlock); });
  asked.get_future().wait();
  auto other = std::async(std::launch::async,
                          [&] { return read_and_compare(*rig.source, 1, 50 * kBlock, kBlock); });
  CHECK(other.wait_for(60s) == std::future_status::ready);
  CHECK(rig.source->missing({0, kBlock}).size() == 1);
  answer.set_value();
  CHECK(reader.get() == Read::kRight);
  CHECK(other.get() == Read::kRight);
  CHECK(rig.origin->bytes() == 4 * kBlock);
}

TEST_CASE("filler: room is asked for what is missing, once") {
  const RoomRig room;
  const auto beside = open_entry(*room.disk.cache, room.disk.info);
  REQUIRE(beside->put(3, noise(1, 3 * kBlock, kBlock)));
  REQUIRE(beside->put(100, noise(1, 100 * kBlock, 20 * kBlock)));
  std::atomic<std::uint64_t> admitted{0};
  room.store->room = [&](std::uint64_t bytes) {
    admitted += bytes;
    return Room::kGranted;
  };
  OriginScript script;
  script.everything = GENERATE(false, true);
  const Rig rig = room.rig(script);
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(admitted == (room.store->blocks() - 21) * kBlock);
}

// ---- a slow disk --------------------------------------------------------------------------------

TEST_CASE("filler: other downloads go on while the disk takes its time for one") {
  const RoomRig room;
  std::promise<void> asked;
  std::promise<void> answer;
  std::atomic<bool> first{true};
  room.store->before_put = [&](std::uint64_t block) {
    if (block >= 64 || !first.exchange(false)) return;
    asked.set_value();
    answer.get_future().wait();
  };
  OriginScript script;
  script.says_latency = 0.01;
  const Rig rig = room.rig(script);
  auto reader = std::async(std::launch::async,
                           [&] { return read_and_compare(*rig.source, 1, 0, 16 * kBlock); });
  asked.get_future().wait();
  CHECK(read_and_compare(*rig.source, 1, 100 * kBlock, 3 * kBlock) == Read::kRight);
  answer.set_value();
  CHECK(reader.get() == Read::kRight);
  CHECK(rig.origin->bytes() == 19 * kBlock);
}

TEST_CASE("filler: whole blocks that have come are kept when it goes away") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.chunk = 10'000;
  script.stall = 3 * kBlock + 5'000;
  {
    const Rig rig = disk.rig(script);
    rig.source->will_need({{0, kSize}});
    while (rig.origin->bytes() < script.stall) std::this_thread::sleep_for(1ms);
  }
  CHECK(open_entry(*disk.cache, disk.info)->next_missing({0, 5}) == BlockRun{3, 5});
}

// ---- failures -----------------------------------------------------------------------------------

// Of a server that cannot give blocks from 100 on.
OriginScript broken_behind() {
  OriginScript script;
  script.says_latency = 0.01;
  script.fault = [](unsigned, std::uint64_t offset) -> std::optional<Error> {
    return offset >= 100 * kBlock ? std::optional(network_error("broken")) : std::nullopt;
  };
  return script;
}

TEST_CASE("filler: a download that fails is an error to those alone who need what it lacks") {
  const Disk disk(url_info(kSize));
  OriginScript script = broken_behind();
  script.pause = 20ms;
  const Rig rig = disk.rig(script);
  auto reader = std::async(std::launch::async,
                           [&] { return read_and_compare(*rig.source, 1, 0, 4 * kBlock); });
  while (rig.origin->requests().empty()) std::this_thread::sleep_for(100us);
  SECTION("read ahead") {
    rig.source->will_need({{100 * kBlock, 120 * kBlock}});
  }
  SECTION("by another reader") {
    CHECK(read_and_compare(*rig.source, 1, 99 * kBlock, 2 * kBlock) == Read::kError);
  }
  SECTION("waited for with others") {
    const std::vector<ByteRange> ranges{{150 * kBlock, 151 * kBlock}, {100 * kBlock, 101 * kBlock}};
    rig.source->will_need(ranges);
    CHECK_FALSE(rig.source->wait_for_any(ranges));
  }
  while (rig.origin->requests().size() < 2) std::this_thread::sleep_for(100us);
  CHECK(reader.get() == Read::kRight);
}

TEST_CASE("filler: what else was wanted goes on after a failure") {
  const Disk disk(url_info(kSize));
  OriginScript script = broken_behind();
  script.says_latency = 0;  // one after the other
  const Rig rig = disk.rig(script);
  rig.source->will_need({{98 * kBlock, 180 * kBlock}, {10 * kBlock, 20 * kBlock}});
  for (int i = 0; i < 5000 && !rig.source->missing({10 * kBlock, 20 * kBlock}).empty(); ++i) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(rig.source->missing({10 * kBlock, 20 * kBlock}).empty());
  CHECK(rig.source->missing({98 * kBlock, 100 * kBlock}).empty());
  CHECK(rig.origin->requests().size() == 2);  // and what has failed is not asked for again
}

// ---- order --------------------------------------------------------------------------------------

TEST_CASE("filler: a reader that waits goes before what is only wanted") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.says_latency = 0.01;
  script.chunk = 64'000;
  script.pause = 10ms;
  SourceOptions options;
  options.connections = GENERATE(1U, 3U);
  INFO(options.connections);
  const Rig rig = disk.rig(script, options);
  rig.source->will_need({{0, 150 * kBlock}});
  REQUIRE(rig.origin->under_way() == options.connections);
  while (rig.origin->bytes() < 5 * kBlock) std::this_thread::sleep_for(1ms);
  for (const std::uint64_t block : {std::uint64_t{170}, std::uint64_t{190}, std::uint64_t{180}}) {
    CHECK(read_and_compare(*rig.source, 1, block * kBlock, 100) == Read::kRight);
  }
  CHECK(rig.origin->bytes() < 150 * kBlock);
  CHECK(rig.origin->under_way() <= options.connections);
  // What was stopped goes on, and nothing that had come is lost but parts of blocks.
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(rig.origin->bytes() < kSize + 5 * kBlock);
}

TEST_CASE("filler: blocks that have come are there, though the server sends no more") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.chunk = 10'000;
  // 6 blocks and 10 KiB come at once, and then nothing for very long.
  script.stall = 6 * kBlock + (10 << 10);
  const Rig rig = disk.rig(script);
  rig.source->will_need({{0, kSize}});
  const test::HangGuard guard;
  SECTION("to a reader") {
    CHECK(read_and_compare(*rig.source, 1, 0, 6 * kBlock) == Read::kRight);
  }
  SECTION("in order") {
    ByteRange rest{0, kSize};
    while (rest.begin < 6 * kBlock) {
      const auto part = rig.source->wait_for_start(rest);
      REQUIRE(part);
      rest.begin = part->end;
    }
  }
  SECTION("whichever comes first") {
    std::vector<ByteRange> left{{5 * kBlock, kSize}};
    const auto part = rig.source->wait_for_any(left);
    REQUIRE(part);
    CHECK(part->range.begin == 5 * kBlock);
  }
  CHECK(rig.origin->requests().size() == 1);
}

// ---- other processes ----------------------------------------------------------------------------

TEST_CASE("filler: a claim of which nothing comes is waited for, but not for ever") {
  const Disk disk(url_info(kSize));
  const auto other = open_entry(*disk.cache, disk.info);
  REQUIRE(other->claim({2, 12}).count == 10);
  SourceOptions options;
  options.patience = 150ms;
  const Rig rig = disk.rig({}, options);
  const test::HangGuard guard;
  const auto begin = std::chrono::steady_clock::now();
  CHECK(read_and_compare(*rig.source, 1, 4 * kBlock, 100) == Read::kRight);
  CHECK(std::chrono::steady_clock::now() - begin >= 150ms);
  // Nothing that is somebody's beyond what was asked for.
  CHECK(rig.origin->requests() == std::vector<ByteRange>{{4 * kBlock, 5 * kBlock}});
}

TEST_CASE("filler: of whoever was stopped, not each claim is waited for that long") {
  const Disk disk(url_info(kSize));
  const auto other = open_entry(*disk.cache, disk.info);
  constexpr std::uint64_t kClaims = 30;
  for (std::uint64_t i = 0; i < kClaims; ++i) REQUIRE(other->claim({4 * i, 4 * i + 2}).count == 2);
  SourceOptions options;
  options.patience = 400ms;
  const Rig rig = disk.rig({}, options);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < kClaims; ++i) {
    CHECK(read_and_compare(*rig.source, 1, 4 * i * kBlock, 100) == Read::kRight);
  }
  const auto waited = std::chrono::steady_clock::now() - begin;
  CHECK(waited >= 400ms);
  CHECK(waited < static_cast<int>(kClaims / 2) * options.patience);
}

}  // namespace
}  // namespace shunt::cache
