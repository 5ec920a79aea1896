// Deliveries whose cache, or whose kernel, gives up on the way.
#include "shunt/fetch/deliver.h"

#include <sys/mman.h>

#include "unit/cache/support.h"

namespace shunt::fetch {
namespace {

using namespace cache;

constexpr std::uint64_t kSize = (std::uint64_t{12} << 20) + 4321;

// A blob with a digest, whose server may send something else.
struct Delivery {
  explicit Delivery(std::uint64_t sent_seed) {
    OriginScript script;
    script.seed = sent_seed;
    rig = std::make_unique<Rig>(open_entry(*disk.cache, disk.info), disk.info, script);
    opened.source = std::shared_ptr<const CachedSource>(rig->source.get(), [](const auto*) {});
    opened.name = disk.info.name;
    opened.digest = disk.info.digest;
  }

  Disk disk{digest_info(1, kSize)};
  std::unique_ptr<Rig> rig;
  source::Opened opened;
  io::File out = io::File::adopt(io::Fd(::memfd_create("out", MFD_CLOEXEC)), "out");

  // Nothing is under way any more, which a kernel of the test has to outlive.
  void end() {
    opened = {};
    rig.reset();
  }

  [[nodiscard]] bool is_right() const {
    std::vector<std::byte> bytes(static_cast<std::size_t>(kSize + 1));
    const auto got = out.read_at(0, bytes);
    return got && *got == kSize && test::is_noise(1, 0, std::span(bytes).first(kSize));
  }
};

// A cache whose disk gets full, which the output does not lie on.
class FullCache final : public io::Kernel {
 public:
  FullCache(std::uint64_t room, int spared) : room_(room), spared_(spared) {}
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    if (fd != spared_ && (used_ += size) > room_) {
      errno = ENOSPC;
      return -1;
    }
    return Kernel::pwrite(fd, data, size, offset, flags);
  }

 private:
  const std::uint64_t room_;
  const int spared_;
  std::atomic<std::uint64_t> used_{0};
};

TEST_CASE("a disk that gets full in the middle does not keep the digest from being checked") {
  for (const bool stream : {true, false}) {
    for (const std::uint64_t seed : {1U, 2U}) {
      INFO((stream ? "stream" : "file") << ", seed " << seed);
      Delivery delivery(seed);
      FullCache full(5 << 20, delivery.out.fd());
      const io::KernelOverride installed(&full);
      const std::vector<ByteRange> all{{0, kSize}};
      const auto delivered = stream ? stream_ranges(delivery.opened, all, delivery.out, {})
                                    : write_ranges(delivery.opened, all, delivery.out, {});
      CHECK(delivery.opened.far_away()->backing_file().file == nullptr);
      if (seed == 1) {
        REQUIRE(delivered);
        CHECK(delivered->verified);
        CHECK(delivery.is_right());
      } else {
        REQUIRE_FALSE(delivered);
        CHECK(delivered.error().code == ErrorCode::kIntegrity);
      }
      delivery.end();
    }
  }
}

// Declines, or fails, to copy within the kernel, now and then.
class NoCopies final : public io::Kernel {
 public:
  explicit NoCopies(int number) : number_(number) {}
  std::atomic<unsigned> declined{0};

  ssize_t copy_file_range(int from, off_t* from_offset, int to, off_t* to_offset,
                          std::size_t size) override {
    if (asked_++ % 2 == 0) {
      return Kernel::copy_file_range(from, from_offset, to, to_offset,
                                     std::min<std::size_t>(size, 100'000));
    }
    ++declined;
    errno = number_;
    return number_ == 0 ? 0 : -1;
  }
  // So that the kernel is asked to copy at all.
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    if (flags != 0) {
      errno = EOPNOTSUPP;
      return -1;
    }
    return Kernel::pwrite(fd, data, size, offset, flags);
  }

 private:
  const int number_;
  std::atomic<unsigned> asked_{0};
};

TEST_CASE("what the kernel does not copy goes through a buffer") {
  for (const int number : {EIO, EXDEV, EINVAL, 0}) {
    INFO(number);
    Delivery delivery(1);
    NoCopies kernel(number);
    const io::KernelOverride installed(&kernel);
    const auto delivered = write_ranges(delivery.opened, {{0, kSize}}, delivery.out, {});
    REQUIRE(delivered);
    CHECK(delivered->verified);
    CHECK(delivery.is_right());
    CHECK(kernel.declined > 0);
    delivery.end();
  }
}

}  // namespace
}  // namespace shunt::fetch
