// crash_cache: fills a cache on a file system of its own, cuts the power after each call that
// changes something, and reads everything again after the "boot": each byte has to be right.
//
//   crash_cache ext4|xfs   the log flushed or not, and some of the data written back or none
//
// Exit 77: not possible here. SHUNT_TEST_FULL=1 leaves nothing out; SHUNT_SEED picks the sample.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "harness.h"
#include "loop_mount.h"
#include "shunt/cache/cache.h"
#include "shunt/cache/cached_source.h"
#include "shunt/io/kernel.h"
#include "support/scripted_origin.h"

namespace shunt::test {
namespace {

constexpr std::uint64_t kSize = (std::uint64_t{3} << 20) + 777;
constexpr std::uint64_t kSeed = 5;

blob::Info blob() {
  blob::Info info;
  info.name = "docker://127.0.0.1/image";
  info.digest = noise_digest(kSeed, kSize);
  info.size = kSize;
  return info;
}

// Counts the calls that change something, from whatever thread, and cuts the power after one.
class PowerKernel final : public io::Kernel {
 public:
  explicit PowerKernel(unsigned at = 0, std::function<void()> cut = nullptr)
      : at_(at), cut_(std::move(cut)) {}
  [[nodiscard]] unsigned calls() const { return calls_; }

  int open(const char* path, int flags, mode_t mode) override {
    const int fd = io::Kernel::open(path, flags, mode);
    return (flags & O_CREAT) != 0 ? after(fd) : fd;
  }
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int flags) override {
    return after(io::Kernel::pwrite(fd, data, size, offset, flags));
  }
  int ftruncate(int fd, off_t size) override { return after(io::Kernel::ftruncate(fd, size)); }
  int rename_no_replace(const char* from, const char* to) override {
    return after(io::Kernel::rename_no_replace(from, to));
  }
  int unlink(const char* path) override { return after(io::Kernel::unlink(path)); }
  int mkdir(const char* path, mode_t mode) override { return after(io::Kernel::mkdir(path, mode)); }

 private:
  template <typename T>
  T after(T outcome) {
    if (++calls_ == at_) cut_();
    return outcome;
  }

  const unsigned at_;
  const std::function<void()> cut_;
  std::atomic<unsigned> calls_{0};
};

// How a run fills the cache.
struct Plan {
  const char* name;
  bool in_order;
  bool verify;
};
constexpr Plan kPlans[] = {
    {"in order", true, false}, {"anywhere", false, false}, {"verified", true, true}};

// What has reached the disk by itself when the power goes.
enum class Written { kNothing, kSome, kLogOnly };
const char* name_of(Written written) {
  switch (written) {
    case Written::kNothing:
      return "nothing written";
    case Written::kSome:
      return "some written";
    case Written::kLogOnly:
      return "log flushed";
  }
  return "";
}

// Right bytes everywhere, or 1. `server` false: only what the cache has; a gap is no failure then.
int read_everything(const std::string& directory, bool in_order, bool verify, bool server = true) {
  const auto cache = cache::Cache::open(directory, 0);
  if (!cache) return 3;
  const blob::Info info = blob();
  const std::string key = cache::key_of_digest(info.digest);
  const auto entry = (*cache)->find_or_create(key, info.digest, info);
  if (!entry) return 4;
  OriginScript script;
  script.seed = kSeed;
  std::shared_ptr<ScriptedOrigin> origin;
  cache::SourceOptions options;
  options.offline = !server;
  if (server) origin = std::make_shared<ScriptedOrigin>(info, script);
  const cache::CachedSource source(*entry, origin, info, options);
  std::vector<std::uint64_t> places;
  constexpr std::uint64_t kStep = 50'000;
  for (std::uint64_t at = 0; at < kSize; at += kStep) places.push_back(at);
  std::mt19937 random(1);
  if (!in_order) std::shuffle(places.begin(), places.end(), random);
  for (const std::uint64_t at : places) {
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::min<std::uint64_t>(kStep, kSize - at)));
    const auto got = source.read_at(at, bytes, io::Caching::kKeep);
    if (!got && !server) continue;
    if (!got || *got != bytes.size()) return 5;
    if (!is_noise(kSeed, at, bytes)) return 1;
  }
  if (verify && !source.verify({})) return 6;
  return 0;
}

void empty(const std::string& directory) {
  if (std::system(("rm -rf '" + directory + "'").c_str()) != 0) std::exit(2);
  const int fd = ::open(directory.substr(0, directory.rfind('/')).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::syncfs(fd) != 0) std::exit(2);
  ::close(fd);
}

// What the kernel may have done before the power went: all the records on disk, and any of the
// data.
void write_some(const std::string& directory, unsigned seed) {
  std::mt19937 random(seed);
  const std::string path = directory + "/blobs/" + cache::key_of_digest(blob().digest);
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  struct stat status {};
  if (::fstat(fd, &status) != 0) ::_exit(2);
  constexpr off_t kRecordsEnd = 65536;
  for (off_t at = 0; at < status.st_size; at += 16384) {
    if (at >= kRecordsEnd && random() % 3 != 0) continue;
    ::sync_file_range(
        fd, at, 16384,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
  ::close(fd);
}

struct Tally {
  unsigned tried = 0;
  unsigned failed = 0;
};

void cut_at(LoopMount& mount, const Plan& plan, Written written, unsigned at, Tally& tally) {
  const std::string directory = mount.mount_point() + "/cache";
  empty(directory);
  PowerKernel kernel(at, [&] {
    if (written == Written::kSome) write_some(directory, at);
    shut_down(mount.mount_point(), written != Written::kNothing);
    ::raise(SIGKILL);
  });
  const int status =
      in_child(kernel, [&] { return read_everything(directory, plan.in_order, plan.verify); });
  mount.remount();
  // How many calls there are depends on how threads take turns: this run came to its end before.
  if (status == 0) return;
  ++tally.tried;
  const auto complain = [&](const char* what, int code) {
    ++tally.failed;
    std::printf("FAILED %s, call %u, %s: %s (%d)\n", plan.name, at, name_of(written), what, code);
  };
  if (status != -SIGKILL) complain("the power did not go", status);
  const cache::BootIdOverride boot("after the cut, call " + std::to_string(at));
  // A child each time, as after a boot; the first one has only what survived.
  PowerKernel nothing;
  for (const bool server : {false, true}) {
    const int after = in_child(
        nothing, [&] { return read_everything(directory, !plan.in_order, server, server); });
    if (after != 0) complain(server ? "with the server" : "offline", after);
  }
}

int run(const std::string& where) {
  if ((where != "ext4" && where != "xfs") || !LoopMount::possible(where)) {
    std::printf("skipped: needs root, loop devices and mkfs.%s\n", where.c_str());
    return kSkipped;
  }
  const ScratchDirectory scratch;
  const bool full = wants_all();
  std::mt19937 random(chosen_seed());

  LoopMount mount(where, scratch.path());
  Tally tally;
  for (const Plan& plan : kPlans) {
    // How many calls a run makes differs a little from one to the next.
    PowerKernel counting;
    const std::string cache = mount.mount_point() + "/cache";
    empty(cache);
    {
      const io::KernelOverride installed(&counting);
      if (read_everything(cache, plan.in_order, plan.verify) != 0) {
        std::printf("FAILED %s: without a cut\n", plan.name);
        return 1;
      }
    }
    const unsigned count = std::max(2U, counting.calls() * 8 / 10);
    std::vector<unsigned> calls(count);
    for (unsigned i = 0; i < count; ++i) calls[i] = i + 1;
    for (const Written written : {Written::kNothing, Written::kSome, Written::kLogOnly}) {
      std::vector<unsigned> chosen;
      std::sample(calls.begin(), calls.end(), std::back_inserter(chosen), full ? count : 8, random);
      for (const unsigned at : chosen) cut_at(mount, plan, written, at, tally);
    }
    std::printf("%-10s about %u calls\n", plan.name, counting.calls());
  }
  std::printf("%u cuts, %u failed\n", tally.tried, tally.failed);
  return tally.failed == 0 && tally.tried > 0 ? 0 : 1;
}

}  // namespace
}  // namespace shunt::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: crash_cache ext4|xfs\n");
    return 2;
  }
  return shunt::test::run(argv[1]);
}
