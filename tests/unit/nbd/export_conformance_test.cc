// The disk in memory that the tests of the server serve, with all it may offer, and with little.
#include "support/catch.h"
#include "support/conformance/export.h"
#include "support/memory_export.h"

namespace shunt::nbd {
namespace {

constexpr std::size_t kDiskSize = std::size_t{2} << 20;

std::shared_ptr<Export> disk_with(const Features& offered) {
  auto disk = std::make_shared<test::MemoryExport>(kDiskSize);
  disk->offered = offered;
  return disk;
}

test::ExportUnderTest::Later disk_on_its_way() {
  auto disk = std::make_shared<test::MemoryExport>(kDiskSize);
  std::ranges::fill(disk->bytes, std::byte{9});
  disk->has_come = 0;
  return {disk, [disk] { disk->has_come = UINT64_MAX; }};
}

TEST_CASE("a disk in memory is an export") {
  const Features all{.multi_conn = true, .fast_zero = true};
  const Features little{.fua = false, .trim = false, .zeroes = false};
  const auto features = GENERATE_COPY(all, little);
  test::check_export({.open = [&] { return disk_with(features); },
                      .open_read_only = [] { return disk_with({.read_only = true}); },
                      .open_later = disk_on_its_way});
}

}  // namespace
}  // namespace shunt::nbd
