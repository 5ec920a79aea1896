// What --advise tells.
#include "shunt/sink/advice.h"

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "shunt/io/file.h"
#include "shunt/text/size_text.h"
#include "support/catch.h"
#include "support/reading_pipe.h"
#include "unit/sink/noise.h"

namespace {

using namespace shunt;
using sink::advice_of;
using sink::kMiB;
using sink::noise;
using sink::Sink;
using sink::Summary;

}  // namespace

TEST_CASE("whatever was measured, the advice can be typed, is allowed and is enough") {
  CHECK(
      rc::check([](std::uint64_t window, std::uint64_t read_back, std::uint64_t held, bool early) {
        Summary summary;
        summary.window_needed = window >> (read_back % 64);
        summary.read_back = read_back >> (window % 64);
        summary.peak_unspilled = held >> (window % 40);
        summary.left_early = early;
        const auto advice = advice_of(summary);
        RC_ASSERT(parse_size(size_to_type(advice.window)).value() == advice.window);
        RC_ASSERT(parse_size(size_to_type(advice.memory)).value() == advice.memory);
        RC_ASSERT(advice.window >= summary.window_needed);
        RC_ASSERT(advice.window >= summary.read_back);
        RC_ASSERT(advice.memory >= sink::HeldBlocks::kLeastMemory);
        RC_ASSERT(advice.memory >= std::min(summary.peak_unspilled, advice.window));
        if (advice.window < std::uint64_t{1} << 50) {
          RC_ASSERT(size_to_type(advice.window).size() <= 5);  // "1024M" at the most
        }
      }));
}

TEST_CASE("a client that only steps back a little is not told the memory of the whole disk") {
  test::ReadingPipe pipe;
  sink::Options options;
  options.size = 40 * kMiB;
  options.policy = sink::CommitPolicy::kAtEnd;
  options.offer_as_window = true;
  const auto sink = Sink::start(pipe.in(), options).value();
  REQUIRE(sink->write(0, noise(30 * kMiB, 1)));
  REQUIRE(sink->write(30 * kMiB - 100'000, noise(10, 1)));
  std::vector<std::byte> read(10);
  REQUIRE(sink->read(30 * kMiB - 300'000, read));
  REQUIRE(sink->finish());
  const auto advice = advice_of(sink->summary());
  CHECK(advice.window == 512 << 10);
  CHECK(advice.memory == 8 * kMiB);
}
