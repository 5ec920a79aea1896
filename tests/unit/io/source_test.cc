#include "shunt/io/source.h"

#include <algorithm>

#include "shunt/io/spool.h"
#include "support/catch.h"

namespace shunt::io {
namespace {

std::vector<std::byte> counting(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

TEST_CASE("a buffered reader gives the same bytes in any order") {
  const auto bytes = counting(100'000);
  const MemorySource source(bytes);
  BufferedReader reader(source, 4096);
  for (const std::size_t at : {0U, 10U, 4090U, 5000U, 99'990U, 3U, 50'000U, 54'000U}) {
    const auto view = reader.view(at, 10);
    REQUIRE(view);
    CHECK(std::equal(view->begin(), view->end(), bytes.begin() + static_cast<std::ptrdiff_t>(at)));
  }
  const auto beyond = reader.view(99'995, 10);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code == ErrorCode::kCorrupt);
  CHECK(beyond.error().offset == 100'000);
}

TEST_CASE("what is read in pieces is all of the range, in order") {
  const auto bytes = counting(10'000);
  const MemorySource source(bytes);
  const auto end = GENERATE(as<std::uint64_t>{}, 5, 1005, 1006, 10'000);
  std::vector<std::byte> buffer(1000);
  std::vector<std::byte> got;
  const auto take = [&](std::span<const std::byte> piece) -> Result<void> {
    CHECK(piece.size() <= buffer.size());
    got.insert(got.end(), piece.begin(), piece.end());
    return {};
  };
  REQUIRE(read_in_pieces(source, {5, end}, buffer, take));
  CHECK(std::ranges::equal(got, std::span(bytes).subspan(5, end - 5)));
}

TEST_CASE("reading in pieces ends with the first error") {
  const MemorySource source(counting(2500));
  std::vector<std::byte> buffer(1000);
  int pieces = 0;
  const auto count = [&](std::span<const std::byte>) -> Result<void> {
    ++pieces;
    return {};
  };
  const auto beyond = read_in_pieces(source, {0, 2501}, buffer, count);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code == ErrorCode::kCorrupt);
  CHECK(beyond.error().offset == 2500);
  CHECK(pieces == 2);
  const auto refuse = [](std::span<const std::byte>) -> Result<void> { return corrupt("mine", 7); };
  CHECK(read_in_pieces(source, {0, 2500}, buffer, refuse).error().offset == 7);
}

TEST_CASE("a spool gives back what went in, in memory and in a file") {
  for (const std::size_t limit : {1U << 20, 1000U}) {
    const auto bytes = counting(50'000);
    Spool spool(limit);
    for (std::size_t at = 0; at < bytes.size(); at += 777) {
      REQUIRE(spool.append(
          std::span(bytes).subspan(at, std::min<std::size_t>(777, bytes.size() - at))));
    }
    const auto source = spool.finish("input");
    REQUIRE(source);
    REQUIRE((*source)->size() == bytes.size());
    CHECK((*source)->name() == "input");
    std::vector<std::byte> back(bytes.size());
    REQUIRE(read_exactly(**source, 0, back));
    CHECK(back == bytes);
  }
}

}  // namespace
}  // namespace shunt::io
