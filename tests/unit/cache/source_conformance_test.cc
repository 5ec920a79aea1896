// The Source of this room: a blob that is far away, with each store that it may be kept in.
#include "shunt/cache/memory_store.h"
#include "support/conformance/source.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using test::SourceUnderTest;

constexpr std::size_t kSize = 6 * kBlock + 777;

const std::vector<std::uint64_t> kSeams{kBlock, 2 * kBlock, 6 * kBlock};

SourceOptions few_connections() {
  SourceOptions options;
  options.connections = 2;
  return options;
}

io::SourcePtr source_of(const std::shared_ptr<BlockStore>& store, const blob::Info& info,
                        std::uint64_t seed = 1) {
  OriginScript script;
  script.seed = seed;
  return std::make_shared<CachedSource>(store, std::make_shared<ScriptedOrigin>(info, script), info,
                                        few_connections());
}

blob::Info other_version() {
  blob::Info info = url_info(kSize);
  info.validator = "\"v2\"";
  return info;
}

TEST_CASE("a blob that is kept in memory is a Source") {
  const auto open = [&](const blob::Info& info) {
    return source_of(std::make_shared<MemoryStore>(kSize, kBlock), info);
  };
  test::check_source({.open = [&] { return open(url_info(kSize)); },
                      .bytes = test::source_bytes(kSize),
                      .seams = kSeams,
                      .open_other = [&] { return open(other_version()); }});
}

TEST_CASE("a blob that is larger than the memory for it is a Source") {
  constexpr std::size_t kLarge = (std::size_t{3} << 20) + 777;
  const blob::Info info = url_info(kLarge);
  test::check_source({.open =
                          [&] {
                            return source_of(
                                std::make_shared<MemoryStore>(kLarge, kBlock, 40 * kBlock), info);
                          },
                      .bytes = test::source_bytes(kLarge),
                      .seams = {kBlock, 40 * kBlock}});
}

TEST_CASE("a blob that is kept in the cache is a Source") {
  const blob::Info info = GENERATE(url_info(kSize), digest_info(1, kSize));
  const Disk disk(info);
  const Disk other(other_version());
  test::check_source(
      {.open = [&] { return source_of(open_entry(*disk.cache, info), info); },
       .bytes = test::source_bytes(kSize),
       .seams = kSeams,
       .open_other = [&] { return source_of(open_entry(*other.cache, other.info), other.info); },
       .in_file = SourceUnderTest::InFile::kYes});
}

TEST_CASE("a blob that is in the cache is a Source without its server") {
  const Disk disk(url_info(kSize));
  REQUIRE(open_entry(*disk.cache, disk.info)->put(0, test::source_bytes(kSize)));
  SourceOptions offline = few_connections();
  offline.offline = true;
  test::check_source({.open =
                          [&] {
                            return std::make_shared<CachedSource>(
                                open_entry(*disk.cache, disk.info), nullptr, disk.info, offline);
                          },
                      .bytes = test::source_bytes(kSize),
                      .seams = kSeams,
                      .in_file = SourceUnderTest::InFile::kYes});
}

}  // namespace
}  // namespace shunt::cache
