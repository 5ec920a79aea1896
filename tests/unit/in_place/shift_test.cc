#include "shunt/in_place/shift.h"

#include <rapidcheck.h>
#include <xxhash.h>

#include <algorithm>

#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::in_place {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kUnit = 4096;

Bytes random_file(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    // Some pages are zeros, which are punched and not written.
    const bool zero = i / kUnit % 5 == 3;
    bytes[i] = zero ? std::byte{0} : static_cast<std::byte>((i * 2654435761U) >> 13);
  }
  return bytes;
}

Bytes read_back(const io::File& file) {
  Bytes bytes(static_cast<std::size_t>(file.size().value()));
  REQUIRE(file.read_at(0, bytes).value() == bytes.size());
  return bytes;
}

// The invariant: the old bytes with a gap at the cursor.
bool holds(const Bytes& now, const Bytes& old, std::uint64_t cursor, std::uint64_t distance) {
  const auto at = static_cast<std::ptrdiff_t>(cursor);
  return std::equal(old.begin(), old.begin() + at, now.begin()) &&
         std::equal(old.begin() + at, old.end(),
                    now.begin() + at + static_cast<std::ptrdiff_t>(distance));
}

TEST_CASE("at each cursor every byte is at its old place or at its new one, and back") {
  const test::TempDir dir;
  CHECK(rc::check([&] {
    const auto size = *rc::gen::inRange<std::size_t>(1, 300'000);
    const std::uint64_t distance = kUnit * *rc::gen::inRange<std::uint64_t>(1, 20);
    const std::uint64_t begin = std::min<std::uint64_t>(
        kUnit * *rc::gen::inRange<std::uint64_t>(0, 4), size / kUnit * kUnit);
    const Bytes old = random_file(size);
    (void)std::remove(dir.file("a").c_str());
    auto file = io::File::create(dir.file("a"));
    RC_ASSERT(file.has_value());
    RC_ASSERT(file->write_at(0, old).has_value());
    RC_ASSERT(file->truncate(size + distance).has_value());

    std::uint64_t last = size;
    unsigned steps = 0;
    Shift shift;
    shift.file = &*file;
    shift.distance = distance;
    shift.unit = kUnit;
    shift.settle = [&](const ShiftStep& step) -> Result<void> {
      const std::uint64_t cursor = step.to;
      RC_ASSERT(step.from == last || (step.from == begin && last == begin));
      const ByteRange moved{std::min(step.from, step.to), std::max(step.from, step.to)};
      RC_ASSERT(step.digest == XXH3_64bits(old.data() + moved.begin, moved.size()));
      RC_ASSERT(holds(read_back(*file), old, cursor, distance));
      RC_ASSERT((cursor > last ? cursor - last : last - cursor) <= distance);
      last = cursor;
      ++steps;
      return {};
    };
    RC_ASSERT(shift_towards_end(shift, {begin, size}).has_value());
    RC_ASSERT(last == begin || begin == size);
    RC_ASSERT(shift_back(shift, {begin, size}).has_value());
    const Bytes now = read_back(*file);
    RC_ASSERT(std::equal(old.begin(), old.end(), now.begin()));
    RC_ASSERT(steps >= 2 * ((size - begin) / distance));
  }));
}

TEST_CASE("told to stop, it stops behind a step, and goes on from there") {
  const test::TempDir dir;
  const Bytes old = random_file(200'000);
  auto file = io::File::create(dir.file("a"));
  REQUIRE(file);
  REQUIRE(file->write_at(0, old));
  REQUIRE(file->truncate(old.size() + kUnit));
  std::uint64_t cursor = old.size();
  int steps = 0;
  Shift shift;
  shift.file = &*file;
  shift.distance = kUnit;
  shift.unit = kUnit;
  shift.settle = [&](const ShiftStep& step) -> Result<void> {
    cursor = step.to;
    ++steps;
    return {};
  };
  shift.should_stop = [&] { return steps == 7; };
  const auto stopped = shift_towards_end(shift, {0, old.size()});
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::kInterrupted);
  CHECK(steps == 7);
  CHECK(holds(read_back(*file), old, cursor, kUnit));
  shift.should_stop = nullptr;
  REQUIRE(shift_towards_end(shift, {0, cursor}));
  CHECK(cursor == 0);
  CHECK(holds(read_back(*file), old, 0, kUnit));
}

TEST_CASE("a file that another program makes shorter meanwhile is in use by it") {
  const test::TempDir dir;
  auto file = io::File::create(dir.file("a"));
  REQUIRE(file);
  REQUIRE(file->truncate(kUnit));
  Shift shift;
  shift.file = &*file;
  shift.distance = kUnit;
  shift.unit = kUnit;
  shift.settle = [](const ShiftStep&) -> Result<void> { return {}; };
  const auto shifted = shift_towards_end(shift, {0, 3 * kUnit});
  REQUIRE_FALSE(shifted);
  CHECK(shifted.error().code == ErrorCode::kBusy);
}

}  // namespace
}  // namespace shunt::in_place
