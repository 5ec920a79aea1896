// The bytes of a download on their way into blocks.
#include "shunt/cache/fill_job.h"

#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kSmall = 1000;
constexpr std::uint64_t kSize = 100 * kSmall - 1;

// A job for `run`, with room for 8 blocks of 1,000 bytes.
struct JobRig {
  explicit JobRig(BlockRun run, std::optional<std::uint64_t> awaited = {})
      : job({kSize, kSmall, 8 * kSmall}, run, awaited, mover, readers) {}

  // Bytes of the blob from `offset` on, as the client brings them.
  Result<void> bring(std::uint64_t offset, std::uint64_t size) {
    const std::vector<std::byte> bytes = noise(1, offset, size);
    REQUIRE(job.room(offset, size) >= size);
    return job.receive(offset, bytes);
  }
  // Takes a batch out and compares it; the number of its blocks, 0 without one.
  std::uint64_t take(std::uint64_t first) {
    const std::optional<Batch> batch = job.take();
    if (!batch) return 0;
    CHECK(batch->first == first);
    CHECK(test::is_noise(1, first * kSmall, batch->bytes));
    return (batch->bytes.size() + kSmall - 1) / kSmall;
  }

  EventCount mover;
  EventCount readers;
  FillJob job;
};

TEST_CASE("fill job: whole blocks leave in order, in batches, and rest in pieces across the end") {
  JobRig rig({3, 100});
  REQUIRE(rig.bring(3 * kSmall, 2500));
  CHECK(rig.take(3) == 2);
  CHECK(rig.take(5) == 0);  // one batch at a time
  rig.job.give_back();
  CHECK(rig.take(5) == 0);  // half a block
  std::uint64_t at = 5500;
  std::uint64_t block = 5;
  while (at < kSize) {
    const std::uint64_t size = std::min<std::uint64_t>(1 + at % 3777, kSize - at);
    REQUIRE(rig.bring(at, size));
    at += size;
    while (const std::uint64_t count = rig.take(block)) {
      block += count;
      rig.job.give_back();
    }
  }
  CHECK(block == 100);
  CHECK(rig.job.rest().empty());
}

TEST_CASE("fill job: the client is told to pause, and to go on when half of the room is free") {
  const auto now = FillJob::Clock::now();
  JobRig rig({0, 50});
  CHECK(rig.job.room(0, 3000) == 8000);
  REQUIRE(rig.bring(0, 7500));
  const std::uint64_t seen = rig.mover.count();
  CHECK(rig.job.room(7500, 3000) == 500);
  CHECK(rig.mover.count() != seen);
  CHECK_FALSE(rig.job.may_resume(now));
  CHECK(rig.job.is_due(FillJob::Clock::now(), false));
  CHECK(rig.take(0) == 4);
  CHECK_FALSE(rig.job.may_resume(now));  // its bytes are in use
  rig.job.give_back();
  CHECK(rig.job.may_resume(now));
  CHECK_FALSE(rig.job.may_resume(now));  // not at once again,
  CHECK(rig.job.may_resume(now + std::chrono::seconds(1)));
  // What it has read already still comes, and is no sign that it goes on.
  REQUIRE(rig.bring(7500, 100));
  CHECK(rig.job.may_resume(now + std::chrono::seconds(2)));
  CHECK(rig.job.room(7600, 3000) == 4400);
  CHECK_FALSE(rig.job.may_resume(now + std::chrono::seconds(3)));
}

TEST_CASE("fill job: a piece larger than all there is to hold is taken when nothing can leave") {
  JobRig rig({0, 50});
  REQUIRE(rig.bring(0, 400));
  CHECK(rig.job.room(400, 20'000) == 20'000);
  REQUIRE(rig.bring(400, 20'000));
  CHECK(rig.job.room(20'400, 20'000) < 20'000);
  std::uint64_t block = 0;
  while (const std::uint64_t count = rig.take(block)) {
    block += count;
    rig.job.give_back();
  }
  CHECK(block == 20);
}

TEST_CASE("fill job: bytes outside of its blocks wait until it goes on to the end") {
  const auto now = FillJob::Clock::now();
  JobRig rig({10, 12});
  CHECK(rig.job.room(0, 100) == 0);
  CHECK(rig.job.state().sends_everything);
  CHECK_FALSE(rig.job.may_resume(now));
  rig.job.extend({0, 100});
  CHECK(rig.job.may_resume(now));
  REQUIRE(rig.bring(0, 5000));
  CHECK(rig.job.rest() == BlockRun{5, 100});
}

TEST_CASE("fill job: readers are told of what they wait for, and the mover of what is much") {
  JobRig rig({0, 50}, 1);
  std::uint64_t seen = rig.readers.count();
  REQUIRE(rig.bring(0, 1999));  // not of the block before
  CHECK(rig.readers.count() == seen);
  REQUIRE(rig.bring(1999, 1));
  CHECK(rig.readers.count() == seen + 1);
  CHECK(rig.job.holds(1));
  CHECK_FALSE(rig.job.holds(2));
  rig.job.set_awaited({});
  seen = rig.mover.count();
  REQUIRE(rig.bring(2000, 2000));
  CHECK(rig.mover.count() == seen + 1);
  seen = rig.mover.count();
  rig.job.finished({});
  CHECK(rig.mover.count() == seen + 1);
  CHECK(rig.job.outcome());
  // Not over as long as somebody is putting what it has brought.
  CHECK(rig.take(0) == 4);
  CHECK(rig.job.state().over);
  CHECK_FALSE(rig.job.state().nothing_left);
  rig.job.give_back();
  CHECK(rig.job.state().nothing_left);
}

TEST_CASE("fill job: a download that starts or goes on elsewhere is refused") {
  JobRig rig({10, 20});
  const std::vector<std::byte> bytes(10);
  CHECK_FALSE(rig.job.receive(11 * kSmall, bytes));
  REQUIRE(rig.bring(10 * kSmall, 10));
  CHECK_FALSE(rig.job.receive(10 * kSmall, bytes));
}

}  // namespace
}  // namespace shunt::cache
