#include "shunt/streams/direct_file.h"

#include <array>
#include <cstddef>
#include <new>
#include <vector>

#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::streams {
namespace {

constexpr std::size_t kBlock = DirectFile::kAlignment;

struct alignas(kBlock) Blocks {
  std::array<std::byte, 2 * kBlock> bytes{};
};

TEST_CASE("what is aligned for direct I/O: address, offset and size") {
  const Blocks blocks;
  const auto all = std::span(blocks.bytes);
  CHECK(DirectFile::is_aligned(0, all));
  CHECK(DirectFile::is_aligned(3 * kBlock, all.first(kBlock)));
  CHECK_FALSE(DirectFile::is_aligned(512, all));
  CHECK_FALSE(DirectFile::is_aligned(0, all.first(kBlock + 512)));
  CHECK_FALSE(DirectFile::is_aligned(0, all.subspan(512, kBlock)));
}

TEST_CASE(
    "what was written directly is read back through the page cache, and the other way round") {
  const test::TempDir dir;
  auto file = io::File::create(dir.file("f"));
  REQUIRE(file);
  Blocks blocks;
  blocks.bytes.fill(std::byte{1});
  REQUIRE(file->write_at(0, blocks.bytes));
  auto direct = DirectFile::open(*file);
  if (!direct) {
    WARN("not tested: the file system of the temporary folder has no direct I/O");
    return;
  }
  Blocks read;
  CHECK(direct->read_at(0, read.bytes).value() == read.bytes.size());
  CHECK(read.bytes == blocks.bytes);

  blocks.bytes.fill(std::byte{2});
  REQUIRE(direct->write_at(kBlock, blocks.bytes));
  CHECK(file->read_at(kBlock, read.bytes).value() == read.bytes.size());
  CHECK(read.bytes == blocks.bytes);
}

}  // namespace
}  // namespace shunt::streams
