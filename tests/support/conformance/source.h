// What every io::Source has to do (io/source.h), as one function that the tests of each
// implementation call with a way to open it and the bytes that it has to have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "shunt/io/source.h"

namespace shunt::test {

// A value. What `open` uses must live as long as the check.
struct SourceUnderTest {
  // Opens the same thing each time, as an object of its own.
  std::function<io::SourcePtr()> open;
  std::vector<std::byte> bytes;
  // Offsets where something changes behind the interface, such as the extent or the block. Reads
  // are made around each of them. The two ends are looked at in any case.
  std::vector<std::uint64_t> seams = {};
  // Something else of the same kind. Empty: there is no identity to compare.
  std::function<io::SourcePtr()> open_other = {};
  // Changes what a Source that is open already reads from. Empty: nobody else can, and then the
  // identity has to be empty too, or to name the bytes for good.
  std::function<void()> change = {};
  // Whether in_file() has to tell a file.
  enum class InFile { kNo, kYes } in_file = InFile::kNo;
  // kOne is for test doubles that say so.
  enum class Threads { kOne, kMany } threads = Threads::kMany;
};

// Has sections of Catch2: call it once in a TEST_CASE, with nothing behind it.
void check_source(const SourceUnderTest& tested);

// Bytes that differ from their neighbours and from those a power of two away, as long as `size`.
[[nodiscard]] std::vector<std::byte> source_bytes(std::size_t size, std::uint64_t seed = 1);

}  // namespace shunt::test
