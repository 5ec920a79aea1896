// A CachedSource whose server, disk or cache fails it: right bytes all the same, or an error.
#include <atomic>

#include "shunt/cache/cached_source.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

TEST_CASE("cached source: an error reaches the reader, and the next read tries again") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.chunk = 30'000;
  script.fault = [](unsigned request, std::uint64_t offset) -> std::optional<Error> {
    if (request == 1 && offset >= 100'000) return network_error("reset");
    return std::nullopt;
  };
  const Rig rig = disk.rig(script);
  std::vector<std::byte> bytes(10 * kBlock);
  const auto first = rig.source->read_at(0, bytes, io::Caching::kKeep);
  REQUIRE_FALSE(first);
  CHECK(first.error().code == ErrorCode::kNetwork);
  CHECK(first.error().reason == "reset");
  CHECK(first.error().path == disk.info.name);
  CHECK(read_and_compare(*rig.source, 1, 0, bytes.size()) == Read::kRight);
  // Whole blocks from before the error were kept.
  REQUIRE(rig.origin->requests().size() == 2);
  CHECK(rig.origin->requests()[1].begin == kBlock);
}

TEST_CASE("cached source: an error does not leave those waiting who come after it") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  script.fault = [](unsigned request, std::uint64_t) -> std::optional<Error> {
    return request == 1 ? std::optional(network_error("reset")) : std::nullopt;
  };
  const Rig rig = disk.rig(script);
  std::vector<ByteRange> left{{0, 0}, {5 * kBlock, 6 * kBlock}};
  rig.source->will_need(left);
  auto part = rig.source->wait_for_any(left);
  if (!part) part = rig.source->wait_for_any(left);  // what was planned is forgotten now
  REQUIRE(part);
  CHECK(part->index == 1);
  CHECK(part->range == left[1]);
  left.pop_back();
  CHECK_FALSE(rig.source->wait_for_any(left));
  CHECK_FALSE(rig.source->wait_for_any({}));
}

TEST_CASE("cached source: what the disk does not take goes through memory") {
  constexpr std::uint64_t kLarge = (std::uint64_t{60} << 20) + 99;
  for (const bool everything : {false, true}) {
    INFO(everything);
    test::TempDir directory;
    const auto cache = open_cache(directory.path());
    const auto info = url_info(kLarge);
    const auto entry = open_entry(*cache, info);
    FullDisk disk(5 << 20);
    const io::KernelOverride installed(&disk);
    OriginScript script;
    script.everything = everything;
    script.chunk = 256 << 10;
    const Rig rig(entry, info, script);
    CHECK(read_all(*rig.source, 1, 1'000'000) == Read::kRight);
    CHECK(rig.source->backing_file().file == nullptr);
    CHECK(rig.source->in_file().file == nullptr);
    CHECK(entry->bytes_cached().value() <= std::uint64_t{5} << 20);
    CHECK(entry->bytes_cached().value() >= std::uint64_t{2} << 20);
    CHECK(rig.origin->bytes() < kLarge + (std::uint64_t{20} << 20));
    // Backwards, and what is in the entry.
    CHECK(read_and_compare(*rig.source, 1, kLarge / 2, 200'000) == Read::kRight);
    CHECK(read_and_compare(*rig.source, 1, 10, 200'000) == Read::kRight);
  }
}

TEST_CASE("cached source: once the blob has changed, the entry is nobody's any more") {
  const Disk disk(url_info(kSize));
  OriginScript script;
  std::atomic<ScriptedOrigin*> origin{nullptr};
  script.fault = [&](unsigned request, std::uint64_t) -> std::optional<Error> {
    if (request == 1) return std::nullopt;
    origin.load()->change();
    return network_error("it has changed on the server");
  };
  const Rig rig = disk.rig(script);
  origin = rig.origin.get();
  REQUIRE(read_and_compare(*rig.source, 1, 0, 10) == Read::kRight);
  CHECK(read_and_compare(*rig.source, 1, 5 * kBlock, 10) == Read::kError);
  // Whoever has it open keeps what is there.
  CHECK(read_and_compare(*rig.source, 1, 100, 10) == Read::kRight);
  CHECK(disk.cache->find(key_of(disk.info)).value() == nullptr);
  CHECK(open_entry(*disk.cache, disk.info)->bytes_cached().value() == 0);
}

TEST_CASE("cached source: a file that is cut under it is fetched again") {
  const Disk disk(url_info(kSize));
  const Rig rig = disk.rig();
  REQUIRE(read_all(*rig.source, 1) == Read::kRight);
  const std::string path = entry_path(disk.directory.path(), disk.info);
  REQUIRE(::truncate(path.c_str(), 1'000'000) == 0);
  CHECK(read_all(*rig.source, 1) == Read::kRight);
  CHECK(rig.source->backing_file().file == nullptr);
}

}  // namespace
}  // namespace shunt::cache
