// nbdkit-shunt-plugin: the engine of stream-sink behind nbdkit's server. nbdkit-plugin(3) documents
// the callbacks.
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "disk.h"
#include "settings.h"
#include "shunt/base/cancel.h"
#include "shunt/base/catching.h"
#include "shunt/io/thread.h"

// Serves requests in the order in which they arrive: in parallel they would need a window of
// hundreds of MiB (docs/design/stream-sink.md).
#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS

namespace shunt::nbdkit {
namespace {

constexpr std::size_t kMostExtents = 1024;

// Freed by unload() and cleanup(), not by destructors: the parent that forks nbdkit would run those
// at exit and remove the output.
Settings* settings = nullptr;
Disk* disk = nullptr;

// Leaves out the hint, which names options of the program.
Result<void> report(const char* what, const Error& error) {
  nbdkit_error("%s%s", what, error.describe().c_str());
  nbdkit_set_error(error.system_errno != 0 ? error.system_errno : EIO);
  return {};
}

// Exceptions must not enter nbdkit. `work` returns a Result<void>.
template <typename Work>
int guarded(const Work& work, const char* what = "") noexcept {
  const Result<void> done = catching(work);
  if (done) return 0;
  if (!catching([&] { return report(what, done.error()); })) {
    nbdkit_error("%sout of memory", what);
    nbdkit_set_error(ENOMEM);
  }
  return -1;
}

// Returns true if nbdkit is to end. nbdkit tells this only in a sleep, and says the same in a
// connection's thread whose client has gone; so another thread asks.
bool is_to_end() {
  bool ends = false;
  Result<io::Thread> asking = io::Thread::start([&]() -> Result<void> {
    ends = nbdkit_nanosleep(0, 0) != 0;
    return {};
  });
  if (asking) (void)asking->join();
  return ends;
}

CancelToken give_up;

void ask_to_give_up(int signal) {
  give_up.request(signal);
}

// During its lifetime a signal cancels the current work. nbdkit's own handlers only set a flag,
// which nobody reads at the end.
class Heeding {
 public:
  Heeding() {
    struct sigaction heeding {};
    heeding.sa_handler = ask_to_give_up;
    heeding.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      ::sigaction(kSignals[i], &heeding, &before_[i]);
  }
  Heeding(const Heeding&) = delete;
  Heeding& operator=(const Heeding&) = delete;
  ~Heeding() {
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      ::sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
  std::array<struct sigaction, kSignals.size()> before_{};
};

void unload() noexcept {
  delete disk;
  disk = nullptr;
  delete settings;
  settings = nullptr;
}

int config(const char* key, const char* value) noexcept {
  return guarded([&]() -> Result<void> {
    if (settings == nullptr) settings = new Settings;
    return settings->set(key, value);
  });
}

int config_complete() noexcept {
  return guarded([&]() -> Result<void> {
    if (settings == nullptr) settings = new Settings;
    return settings->check();
  });
}

int get_ready() noexcept {
  return guarded([&]() -> Result<void> {
    SHUNT_ASSIGN(std::unique_ptr<Disk> opened, Disk::open(*settings, is_to_end));
    disk = opened.release();
    return {};
  });
}

int after_fork() noexcept {
  return guarded([&] { return disk->start(); });
}

// All clients have gone. nbdkit's exit status can no longer report a failure.
void cleanup() noexcept {
  const Heeding heeding;
  (void)guarded([&] { return disk->finish(give_up); }, "the stream is not complete: ");
  delete disk;
  disk = nullptr;
}

void* open(int /*readonly*/) noexcept {
  return NBDKIT_HANDLE_NOT_NEEDED;
}

int64_t get_size(void* /*handle*/) noexcept {
  return static_cast<int64_t>(settings->disk.size);
}

int can_multi_conn(void* /*handle*/) noexcept {
  return disk->multi_conn() ? 1 : 0;
}

int can_fast_zero(void* /*handle*/) noexcept {
  return disk->fast_zero() ? 1 : 0;
}

// For a single request, too, a flush of what may leave is all there is.
int can_fua(void* /*handle*/) noexcept {
  return NBDKIT_FUA_EMULATE;
}

int pread(void* /*handle*/, void* buffer, uint32_t count, uint64_t offset,
          uint32_t /*flags*/) noexcept {
  return guarded([&] { return disk->read(offset, {static_cast<std::byte*>(buffer), count}); });
}

int pwrite(void* /*handle*/, const void* buffer, uint32_t count, uint64_t offset,
           uint32_t /*flags*/) noexcept {
  return guarded([&] {
    return disk->write(offset, {static_cast<const std::byte*>(buffer), count});
  });
}

int zero(void* /*handle*/, uint32_t count, uint64_t offset, uint32_t /*flags*/) noexcept {
  return guarded([&] { return disk->zero(ByteRange::of(offset, count)); });
}

int trim(void* /*handle*/, uint32_t count, uint64_t offset, uint32_t /*flags*/) noexcept {
  return guarded([&] { return disk->trim(ByteRange::of(offset, count)); });
}

int flush(void* /*handle*/, uint32_t /*flags*/) noexcept {
  return guarded([&] { return disk->flush(); });
}

int extents(void* /*handle*/, uint32_t count, uint64_t offset, uint32_t flags,
            nbdkit_extents* found) noexcept {
  return guarded([&]() -> Result<void> {
    const std::size_t most = (flags & NBDKIT_FLAG_REQ_ONE) != 0 ? 1 : kMostExtents;
    for (const auto& extent : disk->extents(ByteRange::of(offset, count), most)) {
      const uint32_t type = extent.zeros ? NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO : 0;
      if (nbdkit_add_extent(found, offset, extent.size, type) != 0) {
        return system_error(errno, "", "list extents");
      }
      offset += extent.size;
    }
    return {};
  });
}

nbdkit_plugin make_plugin() {
  nbdkit_plugin made{};
  made.name = "shunt";
  made.longname = "shunt stream-sink";
  made.version = SHUNT_VERSION;
  made.description = "Turn the writes of programs to a disk into a stream.";
  made.config_help =
      "pipe=PATH              (or fd=N) Where the stream goes: a FIFO, a device or a new file\n"
      "size=SIZE              (required) Size of the disk\n"
      "window=SIZE            How far back writes may reach (1M)\n"
      "read-window=SIZE       How far back sent bytes can be read (0)\n"
      "commit=WHEN            When bytes are sent: window, at-end, auto (auto)\n"
      "memory=SIZE            Memory for unsent data, at least 2M (64M)\n"
      "spill=DIR|none         Folder for data beyond memory= ($TMPDIR, /var/tmp)\n"
      "truncate=true          End the stream where the last write or zeroing ends\n"
      "need-flush=true        Fail unless all writes were flushed\n"
      "allow-empty=true       Succeed even if nothing was written\n"
      "digest=FILE            Write the SHA-256 of the stream to FILE when it is complete";
  made.unload = unload;
  made.config = config;
  made.config_complete = config_complete;
  made.get_ready = get_ready;
  made.after_fork = after_fork;
  made.cleanup = cleanup;
  made.open = open;
  made.get_size = get_size;
  made.can_multi_conn = can_multi_conn;
  made.can_fast_zero = can_fast_zero;
  made.can_fua = can_fua;
  made.pread = pread;
  made.pwrite = pwrite;
  made.zero = zero;
  made.trim = trim;
  made.flush = flush;
  made.extents = extents;
  return made;
}

nbdkit_plugin plugin = make_plugin();

}  // namespace
}  // namespace shunt::nbdkit

using shunt::nbdkit::plugin;
NBDKIT_REGISTER_PLUGIN(plugin)
