// What is held, against a plain array.
#include "shunt/sink/held_blocks.h"

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>

#include "support/catch.h"
#include "unit/sink/noise.h"

namespace {

using namespace shunt;
using sink::HeldBlocks;
using sink::kMiB;
using sink::noise;
using Run = HeldBlocks::Run;

std::string spill_folder() {
  return std::filesystem::temp_directory_path();
}

std::vector<std::byte> all_of(const HeldBlocks& held, std::size_t size) {
  std::vector<std::byte> bytes(size);
  REQUIRE(held.read(0, bytes));
  return bytes;
}

}  // namespace

TEST_CASE("zeros are told from other bytes wherever the other byte is") {
  for (const std::size_t size : std::to_array<std::size_t>({0, 1, 15, 16, 17, 4096})) {
    std::vector<std::byte> bytes(size);
    CHECK(sink::is_zeros(bytes));
    for (std::size_t at = 0; at < size; at += std::max<std::size_t>(1, size / 40)) {
      bytes[at] = std::byte{1};
      CHECK_FALSE(sink::is_zeros(bytes));
      bytes[at] = std::byte{0};
    }
    if (size == 0) continue;
    bytes.back() = std::byte{1};
    CHECK_FALSE(sink::is_zeros(bytes));
  }
}

TEST_CASE("zeros take no memory, written, zeroed or never touched") {
  HeldBlocks held(64 * kMiB, "");
  const std::vector<std::byte> zeros(2 * kMiB);
  REQUIRE(held.write(5 * kMiB, zeros));
  CHECK(held.peak() == 0);
  REQUIRE(held.write(7, noise(3 * kMiB, 1)));
  CHECK(held.in_memory() == 3 * kMiB + HeldBlocks::kBlock);
  REQUIRE(held.zero({100, 3 * kMiB}));
  CHECK(held.in_memory() == 2 * HeldBlocks::kBlock);
  REQUIRE(held.write(0, std::span(zeros).first(HeldBlocks::kBlock)));
  CHECK(held.in_memory() == HeldBlocks::kBlock);
  CHECK(held.peak() == 3 * kMiB + HeldBlocks::kBlock);
}

TEST_CASE("a request far beyond everything costs what lies there, not the distance") {
  HeldBlocks held(64 * kMiB, "");
  const std::uint64_t far = std::uint64_t{1} << 62;
  REQUIRE(held.write(far, noise(10, 1)));
  REQUIRE(held.zero({0, far}));
  const Run gap = held.next_run({5, far + 10}).value();
  CHECK(gap.where == Run::Where::kNowhere);
  CHECK(gap.range == ByteRange{5, far});
  CHECK(held.next_run({far, far + 100})->range == ByteRange{far, far + 100});
  std::vector<std::byte> bytes(12);
  REQUIRE(held.read(far - 1, bytes));
  CHECK(bytes[0] == std::byte{0});
  CHECK(std::ranges::equal(std::span(bytes).subspan(1, 10), noise(10, 1)));
}

TEST_CASE("without a folder, a full memory is ENOSPC and keeps what it has") {
  HeldBlocks held(2 * kMiB, "");
  const auto bytes = noise(2 * kMiB, 3);
  REQUIRE(held.write(0, bytes));
  const auto refused = held.write(10 * kMiB, noise(1, 1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().system_errno == ENOSPC);
  CHECK(refused.error().code == ErrorCode::kLocalIo);
  CHECK(all_of(held, bytes.size()) == bytes);
  // What is there can be written again, and what is given up makes room.
  CHECK(held.write(kMiB, noise(100, 4)));
  REQUIRE(held.zero({0, kMiB}));
  CHECK(held.write(10 * kMiB, noise(1, 1)));
}

TEST_CASE("a folder that takes no file is an error that names it") {
  HeldBlocks held(2 * kMiB, "/nowhere/at/all");
  const auto refused = held.write(0, noise(3 * kMiB, 3));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().describe().find("/nowhere/at/all") != std::string::npos);
}

TEST_CASE("what was written longest ago is spilled first, and nothing that is pinned") {
  HeldBlocks held(4 * kMiB, spill_folder());
  constexpr std::uint64_t kLeaf = HeldBlocks::kLeaf;
  REQUIRE(held.write(0, noise(4 * kMiB, 1)));
  REQUIRE(held.write(0, noise(10, 2)));  // now the second leaf is the oldest
  held.pin({kLeaf + 5, kLeaf + 6});
  REQUIRE(held.write(9 * kMiB, noise(10, 1)));
  CHECK(held.next_run({0, 1})->where == Run::Where::kMemory);
  CHECK(held.next_run({kLeaf, kLeaf + 1})->where == Run::Where::kMemory);
  CHECK(held.next_run({2 * kLeaf, 2 * kLeaf + 1})->where == Run::Where::kFile);
  CHECK(held.spilled() == kLeaf);
  CHECK(held.in_file() == kLeaf);
  CHECK(held.in_memory() == 4 * kMiB - kLeaf + HeldBlocks::kBlock);
}

TEST_CASE("blocks that lie far apart are spilled beside one another") {
  HeldBlocks held(2 * kMiB, spill_folder());
  constexpr std::uint64_t kApart = std::uint64_t{1} << 50;
  constexpr std::uint64_t kStart = (std::uint64_t{1} << 62) - 2000 * kApart;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    REQUIRE(held.write(kStart + i * kApart, noise(512, static_cast<unsigned>(i))));
  }
  CHECK(held.in_file() >= 1800 * sink::SpillFile::kPage);  // a page each
  CHECK(held.file().size().value() <= 2100 * sink::SpillFile::kPage);
  for (std::uint64_t i = 0; i < 2000; i += 7) {
    std::vector<std::byte> read(514);
    REQUIRE(held.read(kStart + i * kApart - 1, read));
    CHECK(read[0] == std::byte{0});
    CHECK(
        std::ranges::equal(std::span(read).subspan(1, 512), noise(512, static_cast<unsigned>(i))));
  }
  const Run gap = held.next_run({kStart + HeldBlocks::kBlock, UINT64_MAX / 2}).value();
  CHECK(gap.where == Run::Where::kNowhere);
  CHECK(gap.range.end == kStart + kApart);
}

TEST_CASE("what scattered blocks are found by counts to the memory") {
  HeldBlocks held(4 * kMiB, spill_folder());
  for (std::uint64_t i = 0; i < 3000; ++i) REQUIRE(held.write(i * kMiB, noise(1, 1)));
  CHECK(held.in_memory() < 4 * kMiB - 100'000);
  CHECK(held.in_memory() > 4 * kMiB / 2);
  HeldBlocks dense(4 * kMiB, "");
  CHECK(dense.write(0, noise(4 * kMiB, 1)));
}

TEST_CASE("space in the file is used again") {
  HeldBlocks held(2 * kMiB, spill_folder());
  for (std::uint64_t i = 0; i < 40; ++i) {
    REQUIRE(held.write(i * kMiB, noise(kMiB, 1)));
    if (i >= 8) REQUIRE(held.forget_before((i - 8) * kMiB));
  }
  CHECK(held.spilled() > 30 * kMiB);
  CHECK(held.file().size().value() < 12 * kMiB);
}

TEST_CASE("zeroed bytes of the file take no space in it") {
  HeldBlocks held(2 * kMiB, spill_folder());
  REQUIRE(held.write(0, noise(10 * kMiB, 3)));
  REQUIRE(held.file().valid());
  const auto blocks = held.file().status()->st_blocks;
  REQUIRE(held.zero({0, 8 * kMiB}));
  CHECK(held.in_file() == 0);
  CHECK(held.file().status()->st_blocks < blocks);
  CHECK(held.next_run({0, 10 * kMiB})->range == ByteRange{0, 8 * kMiB});
}

TEST_CASE("what is forgotten is gone up to the block") {
  HeldBlocks held(64 * kMiB, "");
  REQUIRE(held.write(0, noise(3 * kMiB, 1)));
  REQUIRE(held.forget_before(2 * kMiB + HeldBlocks::kBlock + 100));
  CHECK(held.in_memory() == kMiB - HeldBlocks::kBlock);
  CHECK(held.next_run({2 * kMiB + HeldBlocks::kBlock, 3 * kMiB})->where == Run::Where::kMemory);
}

TEST_CASE("any order of writes and zeros reads as an array would, and runs cover it") {
  static constexpr std::size_t kSize = 6 * kMiB;
  CHECK(rc::check([](unsigned seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint64_t most) {
      return std::uniform_int_distribution<std::uint64_t>(0, most - 1)(random);
    };
    HeldBlocks held(2 * kMiB, spill_folder());
    std::vector<std::byte> model(kSize);
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t begin = below(kSize);
      const std::uint64_t most = below(4) == 0 ? kSize : 40'000;
      const std::uint64_t end = std::min(kSize, begin + 1 + below(most));
      const ByteRange range{begin, end};
      const auto into = std::span(model).subspan(begin, range.size());
      switch (below(4)) {
        case 0:
          RC_ASSERT(held.zero(range).has_value());
          std::ranges::fill(into, std::byte{0});
          break;
        case 1: {
          std::vector<std::byte> bytes(range.size());  // zeros, and a few others
          for (int i = 0; i < 3; ++i) bytes[below(bytes.size())] = std::byte{9};
          RC_ASSERT(held.write(begin, bytes).has_value());
          std::ranges::copy(bytes, into.begin());
          break;
        }
        default: {
          const auto bytes = noise(range.size(), static_cast<unsigned>(below(1000)));
          RC_ASSERT(held.write(begin, bytes).has_value());
          std::ranges::copy(bytes, into.begin());
        }
      }
      std::vector<std::byte> read(range.size());
      RC_ASSERT(held.read(begin, read).has_value());
      RC_ASSERT(std::ranges::equal(read, into));
      RC_ASSERT(held.in_memory() <= 2 * kMiB);
    }
    std::vector<std::byte> read(kSize);
    RC_ASSERT(held.read(0, read).has_value());
    RC_ASSERT(read == model);
    ByteRange rest{0, kSize};
    while (!rest.empty()) {
      const Run run = held.next_run(rest).value();
      RC_ASSERT(run.range.begin == rest.begin);
      RC_ASSERT(!run.range.empty());
      std::uint64_t at = run.range.begin;
      for (std::size_t i = 0; i < run.parts; ++i) {
        RC_ASSERT(
            std::ranges::equal(run.memory[i], std::span(model).subspan(at, run.memory[i].size())));
        at += run.memory[i].size();
      }
      if (run.where == Run::Where::kMemory) RC_ASSERT(at == run.range.end);
      if (run.where == Run::Where::kFile) {
        std::vector<std::byte> bytes(run.range.size());
        RC_ASSERT(held.file().read_at(run.place, bytes).value() == bytes.size());
        RC_ASSERT(std::ranges::equal(bytes, std::span(model).subspan(at, bytes.size())));
      }
      rest.begin = run.range.end;
    }
  }));
}
