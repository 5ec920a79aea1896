// The Source of this room: an offset table seen through the map.
#include <fstream>
#include <memory>
#include <string>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/offset_table.h"
#include "support/catch.h"
#include "support/conformance/source.h"
#include "support/temp_dir.h"

namespace shunt::boxes {
namespace {

constexpr std::uint32_t kEntries = 1001;
constexpr std::uint64_t kBeforeTable = 13;

// One kind of table: how wide an entry is, and which of its bytes are the offset.
struct TableKind {
  OffsetTable::Kind kind;
  std::uint32_t stride;
  std::uint32_t field_at;
  std::uint32_t width;
  bool widened;
};

void store(std::byte* to, std::uint32_t width, std::uint64_t value) {
  if (width == 8) return store_be<std::uint64_t>(to, value);
  store_be<std::uint32_t>(to, static_cast<std::uint32_t>(value));
}

// The table as it is in a file, offsets ascending by 5, and as it is with all from 2000 on moved
// by 700.
std::vector<std::byte> table_bytes(const TableKind& kind, bool mapped, std::uint64_t first) {
  const bool wide = mapped && kind.widened;
  const std::uint32_t stride = wide ? 8 : kind.stride;
  std::vector<std::byte> bytes(std::size_t{kEntries} * stride, std::byte{0x5a});
  for (std::uint32_t i = 0; i < kEntries; ++i) {
    std::uint64_t offset = first + std::uint64_t{5} * i;
    if (mapped && offset >= 2000) offset += 700;
    store(bytes.data() + std::size_t{i} * stride + kind.field_at, wide ? 8 : kind.width, offset);
  }
  return bytes;
}

void write_table(const std::string& path, const TableKind& kind, std::uint64_t first) {
  std::ofstream file(path, std::ios::binary);
  file << std::string(kBeforeTable, '-');
  const auto bytes = table_bytes(kind, false, first);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

TEST_CASE("a mapped table is a Source, of each kind") {
  using Kind = OffsetTable::Kind;
  const auto kind =
      GENERATE(TableKind{Kind::kStco, 4, 0, 4, false}, TableKind{Kind::kStco, 4, 0, 4, true},
               TableKind{Kind::kCo64, 8, 0, 8, false}, TableKind{Kind::kSaio32, 4, 0, 4, true},
               TableKind{Kind::kSaio64, 8, 0, 8, false}, TableKind{Kind::kGps, 8, 0, 4, false},
               TableKind{Kind::kCtbo, 20, 4, 8, false});
  const test::TempDir directory;
  const std::string path = directory.file("a");
  const std::string other = directory.file("b");
  write_table(path, kind, 1000);
  write_table(other, kind, 1001);
  const auto map = std::make_shared<OffsetMap>();
  map->add(2000, 700);
  OffsetTable table;
  table.kind = kind.kind;
  table.entries_at = kBeforeTable;
  table.count = kEntries;
  table.widened = kind.widened;
  const auto mapped = [&](const std::string& from) {
    return std::make_shared<MappedTable>(io::FileSource::open(from).value(), table, map);
  };
  const std::uint64_t stride = kind.widened ? 8 : kind.stride;
  test::check_source({.open = [&] { return mapped(path); },
                      .bytes = table_bytes(kind, true, 1000),
                      .seams = {stride, 200 * stride, 201 * stride, 1000 * stride},
                      .open_other = [&] { return mapped(other); },
                      .change = [&] { std::ofstream(path, std::ios::app) << 'x'; }});
}

}  // namespace
}  // namespace shunt::boxes
