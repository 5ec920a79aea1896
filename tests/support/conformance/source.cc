#include "support/conformance/source.h"

#include <rapidcheck.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "shunt/base/byte_range.h"
#include "shunt/io/far_away.h"
#include "support/catch.h"
#include "support/scripted_origin.h"

namespace shunt::test {
namespace {

using Bytes = std::vector<std::byte>;

// What a read has to give: how many bytes, and which.
std::span<const std::byte> model(const Bytes& bytes, std::uint64_t offset, std::size_t size) {
  if (offset >= bytes.size()) return {};
  const auto rest = std::span(bytes).subspan(static_cast<std::size_t>(offset));
  return rest.first(std::min(size, rest.size()));
}

// Empty: the read gave what it has to give; else what is wrong.
std::string wrong_with(const io::Source& source, const Bytes& bytes, std::uint64_t offset,
                       std::size_t size, io::Caching caching = io::Caching::kKeep) {
  const std::string where = std::to_string(size) + " bytes at " + std::to_string(offset) + ": ";
  // One byte more, which the read must leave alone.
  Bytes into(size + 1, std::byte{0xa5});
  const auto got = source.read_at(offset, std::span(into).first(size), caching);
  if (!got) return where + got.error().describe();
  const auto expected = model(bytes, offset, size);
  if (*got != expected.size()) {
    return where + std::to_string(*got) + " bytes came instead of " +
           std::to_string(expected.size());
  }
  if (!std::ranges::equal(expected, std::span(into).first(*got))) return where + "other bytes";
  if (into.back() != std::byte{0xa5}) return where + "a byte was written behind the buffer";
  return {};
}

void check_edges(const io::Source& source, const SourceUnderTest& tested) {
  const std::uint64_t size = tested.bytes.size();
  std::set<std::uint64_t> edges(tested.seams.begin(), tested.seams.end());
  edges.insert({0, size / 2, size});
  std::set<std::uint64_t> offsets;
  for (const std::uint64_t edge : edges) {
    for (const std::uint64_t back : {0U, 1U, 2U, 9U}) offsets.insert(edge - std::min(edge, back));
    offsets.insert({edge + 1, edge + 5});
  }
  offsets.insert({size + 4096, std::uint64_t{INT64_MAX} - 1, UINT64_MAX - 3, UINT64_MAX});
  const auto rest = static_cast<std::size_t>(size);
  for (const std::uint64_t offset : offsets) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7},
                                    std::size_t{20}, std::size_t{4096}, rest, rest + 1}) {
      CHECK(wrong_with(source, tested.bytes, offset, count) == "");
    }
  }
  CHECK(wrong_with(source, tested.bytes, 0, rest, io::Caching::kDrop) == "");
  CHECK(wrong_with(source, tested.bytes, rest / 3, rest, io::Caching::kDrop) == "");
}

// Two objects of the same thing, read in turn and in any order.
void check_any_order(const io::Source& source, const io::Source& twin,
                     const SourceUnderTest& tested) {
  const std::size_t size = tested.bytes.size();
  CHECK(rc::check([&] {
    for (int i = 0; i < 10; ++i) {
      const auto offset = *rc::gen::inRange<std::uint64_t>(0, size + 10);
      const auto count =
          *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(size / 2, 300'000) + 10);
      const bool first = *rc::gen::arbitrary<bool>();
      RC_ASSERT(wrong_with(first ? source : twin, tested.bytes, offset, count) == "");
    }
  }));
}

void check_threads(const io::Source& source, const SourceUnderTest& tested) {
  constexpr int kThreads = 4;
  constexpr int kReads = 100;
  std::vector<std::string> wrong(kThreads);
  std::atomic<int> waiting{kThreads};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < kThreads; ++number) {
      threads.emplace_back([&, number] {
        std::mt19937_64 random(static_cast<unsigned>(number));
        --waiting;
        while (waiting > 0) std::this_thread::yield();  // so that they do meet
        std::string& found = wrong[static_cast<std::size_t>(number)];
        for (int i = 0; i < kReads && found.empty(); ++i) {
          const std::uint64_t offset = random() % (tested.bytes.size() + 1);
          found = wrong_with(source, tested.bytes, offset, random() % 5000);
        }
      });
    }
  }
  for (const std::string& found : wrong) CHECK(found == "");
}

void check_identity(const io::Source& source, const SourceUnderTest& tested) {
  const auto before = source.identity();
  REQUIRE(before);
  CHECK(source.identity().value() == *before);
  CHECK(tested.open()->identity().value() == *before);
  CHECK(wrong_with(source, tested.bytes, 0, tested.bytes.size()) == "");
  CHECK(source.identity().value() == *before);
  if (tested.open_other) {
    CHECK(*before != "");
    CHECK(tested.open_other()->identity().value() != *before);
  }
  if (tested.change) {
    CHECK(*before != "");
    tested.change();
    // That it cannot be told any more will do as well.
    CHECK(source.identity().value_or("not to be told") != *before);
  }
}

void check_in_file(const io::Source& source, const SourceUnderTest& tested) {
  // What is not here yet may be in a file once it is.
  REQUIRE(wrong_with(source, tested.bytes, 0, tested.bytes.size()) == "");
  const io::FileRange place = source.in_file();
  CHECK((place.file != nullptr) == (tested.in_file == SourceUnderTest::InFile::kYes));
  if (place.file == nullptr) return;
  Bytes there(tested.bytes.size());
  CHECK(place.file->read_at(place.begin, there).value() == there.size());
  CHECK((there == tested.bytes));
}

// The parts of `ranges` ascend, do not meet, and lie within `bounds`.
bool in_order(const std::vector<ByteRange>& ranges, ByteRange bounds) {
  std::uint64_t at = bounds.begin;
  for (const ByteRange range : ranges) {
    if (range.begin < at || range.end <= range.begin || range.end > bounds.end) return false;
    at = range.end;
  }
  return true;
}

void check_backing(const io::FarAway& far, ByteRange range, const Bytes& bytes) {
  const io::FileRange place = far.backing_file();
  if (place.file == nullptr) return;
  Bytes there(static_cast<std::size_t>(range.size()));
  CHECK(place.file->read_at(place.begin + range.begin, there).value() == there.size());
  CHECK(std::ranges::equal(there, model(bytes, range.begin, there.size())));
}

void check_far_away(const io::Source& source, const SourceUnderTest& tested) {
  const io::FarAway* const far = source.far_away();
  if (far == nullptr) return;
  const std::uint64_t size = tested.bytes.size();
  const ByteRange whole{0, size};
  const ByteRange middle{size / 3, size / 2};
  CHECK(in_order(far->missing(whole), whole));
  CHECK(in_order(far->missing(middle), middle));

  const auto start = far->wait_for_start(middle);
  REQUIRE(start);
  CHECK(start->begin == middle.begin);
  CHECK_FALSE(start->empty());
  CHECK(middle.contains(*start));
  CHECK(far->missing(*start).empty());
  check_backing(*far, *start, tested.bytes);

  const std::vector<ByteRange> wanted{{5, 5}, {size - 3, size}, {0, 2}};
  far->will_need(wanted);
  const auto part = far->wait_for_any(wanted);
  REQUIRE(part);
  REQUIRE(part->index < wanted.size());
  CHECK_FALSE(part->range.empty());
  CHECK(wanted[part->index].contains(part->range));
  CHECK(far->missing(part->range).empty());
  check_backing(*far, part->range, tested.bytes);

  CHECK(wrong_with(source, tested.bytes, 0, tested.bytes.size()) == "");
  const std::uint64_t brought = far->bytes_fetched();
  CHECK(wrong_with(source, tested.bytes, middle.begin, 100) == "");
  if (far->backing_file().file == nullptr) return;  // then it may have been dropped again
  CHECK(far->missing(whole).empty());
  CHECK(far->bytes_fetched() == brought);
}

}  // namespace

std::vector<std::byte> source_bytes(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  fill_noise(seed, 0, bytes);
  return bytes;
}

void check_source(const SourceUnderTest& tested) {
  const io::SourcePtr source = tested.open();
  REQUIRE(source != nullptr);
  CHECK(source->size() == tested.bytes.size());
  CHECK_FALSE(source->name().empty());
  SECTION("each read is full or ends at the end") {
    check_edges(*source, tested);
  }
  SECTION("reads in any order do not disturb one another") {
    const io::SourcePtr twin = tested.open();
    CHECK(twin->size() == source->size());
    check_any_order(*source, *twin, tested);
  }
  if (tested.threads == SourceUnderTest::Threads::kMany) {
    SECTION("threads read the same bytes") {
      check_threads(*source, tested);
    }
  }
  SECTION("the identity stays, and is that of no other") {
    check_identity(*source, tested);
  }
  SECTION("a file that it names has its bytes") {
    check_in_file(*source, tested);
  }
  SECTION("what is far away comes when it is waited for") {
    check_far_away(*source, tested);
  }
}

}  // namespace shunt::test
