// A CachedSource that is told what will be needed, or waited at: what comes first, and in which
// order.
#include <algorithm>

#include "shunt/cache/cached_source.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

// Adds up what came, byte by byte; asks whether each came once.
class Coverage {
 public:
  explicit Coverage(std::uint64_t size) : seen_(static_cast<std::size_t>(size)) {}
  void add(ByteRange range) {
    for (std::uint64_t at = range.begin; at < range.end; ++at) {
      ++seen_.at(static_cast<std::size_t>(at));
    }
  }
  [[nodiscard]] bool is_exactly(ByteRange range) const {
    for (std::size_t at = 0; at < seen_.size(); ++at) {
      if (seen_[at] != (range.contains(at) ? 1 : 0)) return false;
    }
    return true;
  }

 private:
  std::vector<std::uint8_t> seen_;
};

TEST_CASE("cached source: planned ranges come whole and once, whichever comes first") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.says_latency = 0.01;
  script.chunk = 40'000;
  const Rig rig = disk.rig(script);
  REQUIRE(read_and_compare(*rig.source, 1, 30 * kBlock, 3 * kBlock) == Read::kRight);
  const std::vector<ByteRange> wanted{
      {100, 10 * kBlock + 5}, {20 * kBlock, 40 * kBlock}, {70 * kBlock + 1, kSize}};
  rig.source->will_need(wanted);
  std::vector<ByteRange> left = wanted;
  Coverage coverage(kSize);
  std::uint64_t sum = 0;
  const io::FileRange file = rig.source->backing_file();
  REQUIRE(file.file != nullptr);
  while (!std::ranges::all_of(left, [](ByteRange range) { return range.empty(); })) {
    const auto part = rig.source->wait_for_any(left);
    REQUIRE(part);
    const ByteRange whole = left.at(part->index);
    REQUIRE_FALSE(part->range.empty());
    REQUIRE(whole.contains(part->range));
    std::vector<std::byte> bytes(static_cast<std::size_t>(part->range.size()));
    REQUIRE(file.file->read_at(file.begin + part->range.begin, bytes).value() == bytes.size());
    REQUIRE(test::is_noise(1, part->range.begin, bytes));
    coverage.add(part->range);
    sum += part->range.size();
    left[part->index].end = part->range.begin;
    left.push_back({part->range.end, whole.end});
  }
  std::uint64_t expected = 0;
  for (const ByteRange range : wanted) expected += range.size();
  CHECK(sum == expected);
  Coverage again = coverage;
  again.add({0, 100});
  again.add({10 * kBlock + 5, 20 * kBlock});
  again.add({40 * kBlock, 70 * kBlock + 1});
  CHECK(again.is_exactly({0, kSize}));
  CHECK(rig.origin->bytes() == kSize - 9 * kBlock - 30 * kBlock);
}

TEST_CASE("cached source: waiting in order gives the range from its start") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.chunk = 70'000;
  script.pause = 100us;
  const Rig rig = disk.rig(script);
  ByteRange rest{1000, kSize - 3};
  rig.source->will_need({rest});
  const io::FileRange file = rig.source->backing_file();
  std::uint64_t bad = 0;
  while (!rest.empty()) {
    const auto part = rig.source->wait_for_start(rest);
    REQUIRE(part);
    REQUIRE(part->begin == rest.begin);
    REQUIRE_FALSE(part->empty());
    REQUIRE(part->end <= rest.end);
    std::vector<std::byte> bytes(static_cast<std::size_t>(part->size()));
    REQUIRE(file.file->read_at(file.begin + part->begin, bytes).value() == bytes.size());
    bad += test::is_noise(1, part->begin, bytes) ? 0U : 1U;
    rest.begin = part->end;
  }
  CHECK(bad == 0);
  CHECK(rig.origin->bytes() == kSize);
  CHECK(rig.source->wait_for_start({kSize, kSize}).value().empty());
}

}  // namespace
}  // namespace shunt::cache
