// When bytes may leave: what each policy makes of what clients write.
#include "shunt/sink/frontier.h"

#include <random>

#include "support/catch.h"
#include "unit/sink/noise.h"

namespace {

using namespace shunt;
using sink::CommitPolicy;
using sink::Frontier;
using sink::kMiB;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

Frontier automatic(std::uint64_t window = kMiB) {
  return {CommitPolicy::kAuto, window};
}

}  // namespace

TEST_CASE("policies have names") {
  CHECK(sink::parse_policy("window") == CommitPolicy::kWindow);
  CHECK(sink::parse_policy("at-end") == CommitPolicy::kAtEnd);
  CHECK(sink::parse_policy("auto") == CommitPolicy::kAuto);
  for (const char* const none : {"", "Auto", "end", "at-end "}) {
    CHECK_FALSE(sink::parse_policy(none));
  }
}

TEST_CASE("a window follows the highest byte of data, and nothing else") {
  Frontier frontier(CommitPolicy::kWindow, 100);
  frontier.wrote({0, 90});
  CHECK(frontier.released() == 0);
  frontier.wrote({900, 1000});
  CHECK(frontier.released() == 900);
  frontier.zeroed({5000, 6000});
  frontier.trimmed({5000, 6000});
  CHECK(frontier.released() == 900);
  frontier.wrote({950, 960});
  CHECK(frontier.released() == 900);
  CHECK(frontier.highest() == 1000);
  CHECK(frontier.window_needed() == 50);
  frontier.wrote_zeros({1000, 1010});
  CHECK(frontier.released() == 910);
  CHECK(frontier.streams());
}

TEST_CASE("at the end means at the end") {
  Frontier frontier(CommitPolicy::kAtEnd, 0);
  frontier.wrote({0, kGiB});
  CHECK(frontier.released() == 0);
  CHECK(frontier.highest() == kGiB);
  CHECK_FALSE(frontier.streams());
}

TEST_CASE("auto: data and zeros in order leave, less the window") {
  Frontier frontier = automatic();
  frontier.wrote({0, 4 * kMiB});
  CHECK(frontier.released() == 3 * kMiB);
  frontier.zeroed({4 * kMiB, 36 * kMiB});
  frontier.zeroed({36 * kMiB, 68 * kMiB});
  CHECK(frontier.released() == 3 * kMiB);  // zeros alone move nothing
  frontier.wrote({68 * kMiB, 70 * kMiB});
  CHECK(frontier.released() == 69 * kMiB);
  frontier.wrote_zeros({70 * kMiB, 71 * kMiB});
  frontier.wrote({71 * kMiB, 72 * kMiB});
  CHECK(frontier.released() == 71 * kMiB);
  CHECK(frontier.streams());
}

TEST_CASE("auto: the first sector may be zeroed before it is written") {
  Frontier frontier = automatic();
  frontier.zeroed({0, 512});
  frontier.wrote({0, 2 * kMiB});
  CHECK(frontier.released() == kMiB);
  CHECK(frontier.window_needed() == 0);
}

TEST_CASE("auto: what comes out of order waits for what is missing, in any order") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint64_t> pieces(64);
    for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i] = i;
    std::shuffle(pieces.begin(), pieces.end(), random);
    Frontier frontier = automatic();
    std::vector<bool> there(pieces.size() + 1);
    for (const std::uint64_t piece : pieces) {
      const ByteRange range = ByteRange::of(piece * kMiB, kMiB);
      piece % 3 == 1 ? frontier.zeroed(range) : frontier.wrote(range);
      there[piece] = true;
      std::uint64_t data_to = 0;
      for (std::uint64_t i = 0; there[i]; ++i) {
        if (i % 3 != 1) data_to = (i + 1) * kMiB;
      }
      CHECK(frontier.released() == (data_to > kMiB ? data_to - kMiB : 0));
    }
    CHECK(frontier.streams());
  }
}

TEST_CASE("auto: a gap holds back all behind it") {
  Frontier frontier = automatic();
  frontier.wrote({0, 10 * kMiB});
  frontier.wrote({11 * kMiB, 50 * kMiB});
  CHECK(frontier.released() == 9 * kMiB);
  frontier.wrote({10 * kMiB, 11 * kMiB});
  CHECK(frontier.released() == 49 * kMiB);
}

TEST_CASE("auto: a client that reads, writes again, or discards what it wrote writes no stream") {
  const auto act = GENERATE(range(0, 9));
  CAPTURE(act);
  Frontier frontier = automatic();
  frontier.wrote({0, 2 * kMiB});
  frontier.wrote({4 * kMiB, 5 * kMiB});
  switch (act) {
    case 0:
      frontier.read();
      break;
    case 1:
      frontier.wrote({2 * kMiB - 1, 2 * kMiB});
      break;
    case 2:
      frontier.wrote({5 * kMiB - 1, 6 * kMiB});
      break;
    case 3:
      frontier.trimmed({4 * kMiB, 4 * kMiB + 1});
      break;
    case 4:
      frontier.zeroed({0, 16 * kMiB});
      break;
    case 5:
      frontier.zeroed({2 * kMiB - 1, 2 * kMiB});
      break;
    case 6:
      frontier.trimmed({2 * kMiB - 1, 2 * kMiB});
      break;
    case 7:
      frontier.wrote_zeros({2 * kMiB - 1, 2 * kMiB});
      break;
    case 8:
      frontier.wrote_zeros({5 * kMiB - 1, 6 * kMiB});
      break;
    default:
      break;
  }
  CHECK_FALSE(frontier.streams());
  frontier.wrote({2 * kMiB, 64 * kMiB});
  CHECK(frontier.released() == kMiB);
}

TEST_CASE("auto: zeroing or discarding the whole disk first is no beginning of a stream") {
  const bool trim = GENERATE(true, false);
  Frontier frontier = automatic();
  if (trim) {
    frontier.trimmed({0, kGiB});
  } else {
    frontier.zeroed({0, kGiB});
  }
  frontier.wrote({0, 4096});
  frontier.wrote({kGiB - 4096, kGiB});
  CHECK(frontier.released() == 0);
  frontier.wrote({kGiB / 2, kGiB / 2 + 4096});
  frontier.wrote({4096, 8192});
  CHECK(frontier.released() == 0);
  CHECK(frontier.streams());
}

TEST_CASE("auto: zeros that data lands in count as far as a window from their beginning") {
  for (const unsigned more : {0U, 1U}) {
    CAPTURE(more);
    Frontier frontier = automatic();
    frontier.zeroed({0, kGiB});
    frontier.wrote({kMiB + more, 8 * kMiB});
    CHECK(frontier.released() == (more == 0 ? 7 * kMiB : 0));
  }
}

TEST_CASE("auto: a disk zeroed first and then written in order streams") {
  Frontier frontier = automatic();
  frontier.zeroed({0, kGiB});
  for (std::uint64_t at = 0; at < 64 * kMiB; at += kMiB) frontier.wrote({at, at + kMiB});
  CHECK(frontier.released() == 63 * kMiB);
}

TEST_CASE("auto: a client that scatters its writes costs bounded memory") {
  Frontier frontier = automatic();
  for (std::uint64_t i = 1; frontier.streams(); ++i) {
    frontier.wrote({i * 8192, i * 8192 + 1});
    REQUIRE(i <= Frontier::kMostRanges + 1);
  }
  CHECK(frontier.released() == 0);
}

TEST_CASE("the window that would have done is the farthest way back") {
  Frontier frontier = automatic();
  frontier.wrote({0, 1000});
  frontier.wrote({5000, 6000});
  frontier.wrote({1000, 2000});
  frontier.zeroed({3000, 3500});
  CHECK(frontier.window_needed() == 5000);
  frontier.refused({500, 9000});
  CHECK(frontier.window_needed() == 5500);
  CHECK(frontier.highest() == 6000);
}
