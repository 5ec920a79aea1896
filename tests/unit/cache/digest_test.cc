// Holding a whole blob against its digest: once, and with nothing left when it does not match.
#include "shunt/cache/cached_source.h"
#include "shunt/cache/memory_store.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kSize = (std::uint64_t{3} << 20) + 17;

// Counts reads of data; the state and the records are smaller.
class CountingKernel final : public io::Kernel {
 public:
  ssize_t pread(int fd, void* data, std::size_t size, off_t offset, int flags) override {
    if (size >= kBlock / 2) ++large;
    return io::Kernel::pread(fd, data, size, offset, flags);
  }
  std::atomic<unsigned> large{0};
};

TEST_CASE("digest: what matches is sealed, for everybody, and not read again") {
  const Disk disk(digest_info(1, kSize));
  const Rig rig = disk.rig();
  CHECK(rig.source->verify({}).value());
  CHECK(rig.store->sealed());
  CHECK(rig.origin->bytes() == kSize);
  const Rig later = disk.rig();
  CountingKernel counting;
  {
    const io::KernelOverride installed(&counting);
    CHECK(rig.source->verify({}).value());
    CHECK(later.source->verify({}).value());
  }
  CHECK(counting.large == 0);
  const auto listed = disk.cache->list().value();
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].verified);
  CHECK(listed[0].complete);
}

TEST_CASE("digest: what does not match is gone, for everybody") {
  const Disk disk(digest_info(1, kSize));
  OriginScript script;
  script.seed = 2;
  const Rig rig = disk.rig(script);
  const Rig beside = disk.rig(script);
  REQUIRE(read_all(*rig.source, 2) == Read::kRight);
  const auto verified = rig.source->verify({});
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code == ErrorCode::kIntegrity);
  CHECK(verified.error().path == disk.info.name);
  CHECK_FALSE(exists(entry_path(disk.directory.path(), disk.info)));
  const auto other = beside.source->verify({});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kIntegrity);
  CHECK_FALSE(rig.store->sealed());
  CHECK(disk.cache->find(key_of(disk.info)).value() == nullptr);
  // The right bytes, later.
  const Rig again = disk.rig();
  CHECK(again.source->verify({}).value());
  CHECK(again.origin->bytes() == kSize);
}

TEST_CASE("digest: a block that is lost after the seal is looked at again") {
  Disk disk(digest_info(1, kSize));
  REQUIRE(disk.rig().source->verify({}).value());
  const auto header = open_entry(*disk.cache, disk.info)->header();
  overwrite(entry_path(disk.directory.path(), disk.info), header.data_begin() + 5 * kBlock,
            std::vector<std::byte>(kBlock));
  const BootIdOverride boot("another boot");
  OriginScript script;
  script.seed = 2;  // and the server has gone bad meanwhile
  const Rig rig = disk.rig(script);
  std::vector<std::byte> bytes(10);
  REQUIRE(rig.source->read_at(5 * kBlock, bytes, io::Caching::kKeep));
  const auto verified = rig.source->verify({});
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code == ErrorCode::kIntegrity);
}

// Replaces block 0 once it has been hashed.
class Replacing final : public Progress {
 public:
  explicit Replacing(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
  void begin(std::string_view /*what*/, std::uint64_t /*total*/) override {}
  void advance(std::uint64_t /*bytes*/) override {
    if (!std::exchange(replaced_, true)) {
      done_ = bool(entry_->put(0, std::vector<std::byte>(kBlock, std::byte{1})));
    }
  }
  [[nodiscard]] bool done() const { return done_; }

 private:
  std::shared_ptr<Entry> entry_;
  bool replaced_ = false;
  bool done_ = false;
};

TEST_CASE("digest: a block that is replaced after it was hashed is not under the seal") {
  const Disk disk(digest_info(1, kSize));
  const Rig rig = disk.rig();
  Replacing replacing(open_entry(*disk.cache, disk.info));
  SECTION("of a blob that comes while it is hashed") {}
  SECTION("of a blob that was there") {
    REQUIRE(read_all(*rig.source, 1) == Read::kRight);
  }
  CHECK(rig.source->verify({.progress = &replacing}).value());
  REQUIRE(replacing.done());
  CHECK_FALSE(rig.store->sealed());
}

TEST_CASE("digest: what went through memory is not sealed") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path(), 1 << 20);
  const auto info = digest_info(1, kSize);
  const auto entry = open_entry(*cache, info);
  const Rig rig(entry, info);
  const auto verified = rig.source->verify({});
  REQUIRE(verified);
  CHECK_FALSE(entry->sealed());
  const Rig memory(std::make_shared<MemoryStore>(kSize), info);
  CHECK_FALSE(memory.source->verify({}).value());
}

TEST_CASE("digest: without one there is nothing to verify") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  const auto info = url_info(kSize);
  const Rig rig(open_entry(*cache, info), info);
  CHECK_FALSE(rig.source->verify({}).value());
  CHECK(rig.origin->requests().empty());
}

TEST_CASE("digest: a server's words about a version do not matter beside a digest") {
  Disk disk(digest_info(1, kSize));
  disk.info.validator = "\"one mirror\"";
  {
    const Rig rig = disk.rig();
    REQUIRE(read_and_compare(*rig.source, 1, 0, 10) == Read::kRight);
  }
  CHECK(disk.cache->find(key_of(disk.info)).value()->info().digest == disk.info.digest);
  disk.info.validator = "\"another mirror\"";
  const Rig rig = disk.rig();
  CHECK(read_and_compare(*rig.source, 1, 0, 10) == Read::kRight);
  CHECK(rig.origin->requests().empty());
}

}  // namespace
}  // namespace shunt::cache
