// crash_outputs: files that appear when they are whole, and the vault that promises to keep what it
// was given. The power goes after each call that changes something, and right after success: what
// is under the name is the result, or what was there before; after success it is the result.
//
//   crash_outputs ext4|xfs
//
// Exit 77: not possible here. SHUNT_TEST_FULL=1 leaves nothing out; SHUNT_SEED picks the sample.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "blob_server.h"
#include "faulty_kernel.h"
#include "harness.h"
#include "loop_mount.h"
#include "shunt/faststart/faststart.h"
#include "shunt/fetch/fetch.h"
#include "shunt/files/destination.h"
#include "shunt/io/kernel.h"
#include "shunt/sink/copy_stream.h"
#include "shunt/sink/sink.h"
#include "shunt/source/session.h"
#include "shunt/vault/vault.h"
#include "support/schemes.h"
#include "workbench.h"

namespace shunt::test {
namespace {

constexpr std::uint64_t kSize = 300'000;

// Where one is written: a directory, and in it the input and the name of the output.
struct Place {
  std::string directory;
  [[nodiscard]] std::string input() const { return directory + "/input"; }
  [[nodiscard]] std::string output() const { return directory + "/output"; }
  [[nodiscard]] std::string cache() const { return directory + "/cache"; }
};

// A way to write one. Both say whether they succeeded.
struct Writer {
  std::string name;
  std::function<bool(const Place&, bool force)> write;
  std::function<bool(const Place&)> prepare = {};
};

struct Tally {
  unsigned tried = 0;
  unsigned failed = 0;
  void complain(const std::string& where, const std::string& what) {
    ++failed;
    std::printf("FAILED %s: %s\n", where.c_str(), what.c_str());
  }
};

// ---- the writers --------------------------------------------------------------------------------

bool run_fetch(const BlobServer& server, const Place& place, bool cached, bool force) {
  source::SessionOptions options;
  options.use_cache = cached;
  options.cache_dir = place.cache();
  source::Session session(test::schemes(), options);
  fetch::Request request;
  request.source = server.url();
  fetch::Options how;
  how.force = force;
  return !fetch::to_file(session, request, place.output(), how).error;
}

bool warm(const BlobServer& server, const Place& place) {
  source::SessionOptions options;
  options.cache_dir = place.cache();
  source::Session session(test::schemes(), options);
  fetch::Request request;
  request.source = server.url();
  return !fetch::to_cache(session, request, {}).error;
}

bool run_faststart(const Place& place, const faststart::Strategy* strategy, bool force) {
  const auto source = faststart::open_source(place.input(), faststart::Reading::kWholeFile);
  if (!source) return false;
  faststart::Options options;
  options.strategy = strategy;
  options.force = force;
  return !faststart::run_to_file(*source, place.output(), options).error;
}

// A disk that is written from behind, in part, and zeroed.
bool run_disk(const Place& place, bool force) {
  const CancelToken cancel;
  auto out = files::Destination::open(place.output(), {.force = force}, cancel);
  if (!out) return false;
  sink::Options options;
  options.size = kSize;
  auto disk = sink::Sink::start(out->file(), options);
  if (!disk) return false;
  const std::vector<std::byte> bytes(4096, std::byte{0x5a});
  for (std::uint64_t at = 200'704; at > 0; at -= 4096 * 7) {
    if (!(*disk)->write(at, bytes)) return false;
  }
  if (!(*disk)->zero({250'000, kSize}) || !(*disk)->finish()) return false;
  disk->reset();
  return out->commit().has_value();
}

bool run_copy(const Place& place, bool force) {
  const CancelToken cancel;
  const auto in = io::File::open_to_read(place.input());
  auto out = files::Destination::open(place.output(), {.force = force}, cancel);
  if (!in || !out) return false;
  return !sink::copy_stream(*in, out->file(), {}).error && out->commit().has_value();
}

std::vector<Writer> writers(const BlobServer& server) {
  using faststart::strategy_named;
  return {
      {"fetch", [&](const Place& p, bool force) { return run_fetch(server, p, false, force); }},
      {"fetch, cached",
       [&](const Place& p, bool force) { return run_fetch(server, p, true, force); },
       [&](const Place& p) { return warm(server, p); }},
      {"faststart, copy",
       [](const Place& p, bool force) { return run_faststart(p, strategy_named("copy"), force); }},
      {"faststart, reflink",
       [](const Place& p, bool force) {
         return run_faststart(p, strategy_named("reflink"), force);
       }},
      {"stream-sink", [](const Place& p, bool force) { return run_disk(p, force); }},
      {"stream-sink, copy", [](const Place& p, bool force) { return run_copy(p, force); }},
  };
}

// ---- outputs ------------------------------------------------------------------------------------

struct Bench {
  LoopMount& mount;
  bool full;
  std::mt19937 random;
  Tally tally;

  [[nodiscard]] Place place() const { return {mount.mount_point() + "/bench"}; }
  // The calls to cut after: all of them, or a sample.
  std::vector<unsigned> sample(unsigned count, unsigned most) {
    std::vector<unsigned> all(count);
    for (unsigned i = 0; i < count; ++i) all[i] = i + 1;
    std::vector<unsigned> chosen;
    std::sample(all.begin(), all.end(), std::back_inserter(chosen), full ? count : most, random);
    return chosen;
  }
};

const Bytes& old_content() {
  static const Bytes bytes(70'000, std::byte{'o'});
  return bytes;
}

void reset(const Place& place, const Writer& writer, bool replaces) {
  std::filesystem::remove_all(place.directory);
  std::filesystem::create_directory(place.directory);
  write_file(place.input(), fixtures().at(2).original);
  if (replaces) write_file(place.output(), old_content());
  io::Kernel kernel;
  const bool ready =
      !writer.prepare || in_child(kernel, [&] { return writer.prepare(place) ? 0 : 1; }) == 0;
  // All of it on disk before anything is cut.
  const int fd = ::open(place.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!ready || fd < 0 || ::syncfs(fd) != 0) std::exit(2);
  ::close(fd);
}

// What is under the name of the output; nullopt: nothing.
std::optional<Bytes> output_of(const Place& place) {
  if (::access(place.output().c_str(), F_OK) != 0) return std::nullopt;
  return read_file(place.output());
}

// After the power is back: nothing but whole files, and the next run finds nothing in its way.
void check_output(Bench& bench, const Writer& writer, const std::string& where, bool replaces,
                  bool claimed, const Bytes& result) {
  ++bench.tally.tried;
  const Place place = bench.place();
  const std::optional<Bytes> found = output_of(place);
  const bool whole = found == result;
  const bool as_before = replaces ? found == old_content() : !found;
  if (!whole && (claimed || !as_before)) {
    bench.tally.complain(where, claimed ? "success was claimed, and the result is not there"
                                : found ? "neither the old file nor the result"
                                        : "the old file is gone");
  }
  io::Kernel kernel;
  if (in_child(kernel, [&] { return writer.write(place, true) ? 0 : 1; }) != 0) {
    bench.tally.complain(where, "the next run failed");
  } else if (output_of(place) != result) {
    bench.tally.complain(where, "the next run left something else");
  }
  for (const auto& entry : std::filesystem::directory_iterator(place.directory)) {
    const std::string name = entry.path().filename();
    if (name.starts_with('.')) bench.tally.complain(where, "left " + name);
  }
}

void test_output(Bench& bench, const Writer& writer, bool replaces) {
  const Place place = bench.place();
  const std::string what = writer.name + (replaces ? ", replacing" : "");
  reset(place, writer, replaces);
  FaultyKernel counting(Fault::kNone, 0);
  {
    const io::KernelOverride installed(&counting);
    if (!writer.write(place, replaces)) {
      std::printf("%-32s not possible here\n", what.c_str());
      return;
    }
  }
  const Bytes result = output_of(place).value();
  for (const bool keep_log : {false, true}) {
    const std::string log = keep_log ? ", log flushed" : "";
    for (const unsigned at : bench.sample(counting.calls(), 5)) {
      reset(place, writer, replaces);
      FaultyKernel kernel(Fault::kCutAfter, at);
      kernel.cut_power = [&] {
        shut_down(place.directory, keep_log);
        ::raise(SIGKILL);
      };
      const int status = in_child(kernel, [&] { return writer.write(place, replaces) ? 0 : 1; });
      bench.mount.remount();
      const std::string where =
          what + ", after call " + std::to_string(at) + " (" + counting.names()[at - 1] + ")" + log;
      if (status == 1) bench.tally.complain(where, "it failed before the power went");
      check_output(bench, writer, where, replaces, status == 0, result);
    }
    reset(place, writer, replaces);
    io::Kernel kernel;
    const int status = in_child(kernel, [&] { return writer.write(place, replaces) ? 0 : 1; });
    shut_down(place.directory, keep_log);
    bench.mount.remount();
    if (status != 0) bench.tally.complain(what, "it failed without a cut");
    check_output(bench, writer, what + ", right after success" + log, replaces, true, result);
  }
  std::printf("%-32s %u calls\n", what.c_str(), counting.calls());
}

// ---- the vault ----------------------------------------------------------------------------------

// What is done to it, in this order, and what is there afterwards.
struct Step {
  enum class Kind { kCommit, kRetire, kPin, kUnpin } kind;
  const char* name;
};
constexpr std::array<Step, 8> kSteps = {{{Step::Kind::kCommit, "a"},
                                         {Step::Kind::kCommit, "b"},
                                         {Step::Kind::kRetire, "a"},
                                         {Step::Kind::kCommit, "c"},
                                         {Step::Kind::kPin, "c"},
                                         {Step::Kind::kCommit, "a"},
                                         {Step::Kind::kUnpin, "c"},
                                         {Step::Kind::kRetire, "b"}}};

// Another one each time, as a name may be given again.
Bytes content_at(std::size_t step) {
  return Bytes(30'000 + step * 1000, static_cast<std::byte>('a' + step));
}

Result<void> take(vault::Vault& vault, std::size_t number) {
  const Step& step = kSteps.at(number);
  switch (step.kind) {
    case Step::Kind::kCommit: {
      SHUNT_ASSIGN(vault::Reservation reservation, vault.reserve(step.name));
      SHUNT_TRY(reservation.file().write_at(0, content_at(number)));
      SHUNT_TRY(std::move(reservation).commit());
      return {};
    }
    case Step::Kind::kRetire:
      SHUNT_TRY(vault.retire(step.name));
      return {};
    case Step::Kind::kPin:
      return vault.pin(step.name);
    case Step::Kind::kUnpin:
      return vault.unpin(step.name);
  }
  return {};
}

struct Kept {
  Bytes content;
  bool pinned = false;
  friend bool operator==(const Kept&, const Kept&) = default;
};
using State = std::map<std::string, Kept>;

State state_after(std::size_t steps) {
  State state;
  for (std::size_t i = 0; i < steps; ++i) {
    const std::string name = kSteps.at(i).name;
    switch (kSteps.at(i).kind) {
      case Step::Kind::kCommit:
        state[name].content = content_at(i);
        break;
      case Step::Kind::kRetire:
        state.erase(name);
        break;
      case Step::Kind::kPin:
      case Step::Kind::kUnpin:
        state[name].pinned = kSteps.at(i).kind == Step::Kind::kPin;
        break;
    }
  }
  return state;
}

State state_of(const std::string& directory) {
  State state;
  const auto vault = vault::Vault::open(directory, {});
  if (!vault) return state;
  const auto items = (*vault)->list();
  if (!items) return state;
  for (const vault::ItemStatus& item : *items) {
    state[item.name] = {read_file(directory + "/" + item.name), item.pinned};
  }
  return state;
}

// How many steps a run has done, told by a process that ends in the middle.
class Told {
 public:
  Told()
      : place_(::mmap(nullptr, sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)) {
    if (place_ == MAP_FAILED) std::exit(2);
  }
  ~Told() { ::munmap(place_, sizeof(unsigned)); }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  [[nodiscard]] volatile unsigned& steps() { return *static_cast<volatile unsigned*>(place_); }

 private:
  void* place_;
};

int use_vault(const std::string& directory, Told& told) {
  auto vault = vault::Vault::open(directory, {});
  if (!vault) return 1;
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    if (!take(**vault, i)) return 1;
    told.steps() = static_cast<unsigned>(i + 1);
  }
  return 0;
}

void test_vault(Bench& bench) {
  const Place place = bench.place();
  const std::string directory = place.directory + "/vault";
  const Writer nothing;
  Told told;
  reset(place, nothing, false);
  FaultyKernel counting(Fault::kNone, 0);
  {
    const io::KernelOverride installed(&counting);
    if (use_vault(directory, told) != 0) {
      bench.tally.complain("vault", "it failed without a cut");
      return;
    }
  }
  for (const bool keep_log : {false, true}) {
    std::vector<unsigned> cuts = bench.sample(counting.calls(), 14);
    cuts.push_back(counting.calls() + 1);  // never: right after the last step
    for (const unsigned at : cuts) {
      reset(place, nothing, false);
      told.steps() = 0;
      FaultyKernel kernel(Fault::kCutAfter, at);
      const auto cut = [&] { shut_down(place.directory, keep_log); };
      kernel.cut_power = [&] {
        cut();
        ::raise(SIGKILL);
      };
      if (in_child(kernel, [&] { return use_vault(directory, told); }) == 0) cut();
      bench.mount.remount();
      ++bench.tally.tried;
      const unsigned done = told.steps();
      const State found = state_of(directory);
      // What was under way is done or not.
      if (found == state_after(done)) continue;
      if (done < kSteps.size() && found == state_after(done + 1)) continue;
      bench.tally.complain(
          "vault, after call " + std::to_string(at) + (keep_log ? ", log flushed" : ""),
          "not what it was after " + std::to_string(done) + " steps, nor one more");
    }
  }
  std::printf("%-32s %u calls\n", "vault", counting.calls());
}

int run(const std::string& where) {
  if ((where != "ext4" && where != "xfs") || !LoopMount::possible(where)) {
    std::printf("skipped: needs root, loop devices and mkfs.%s\n", where.c_str());
    return kSkipped;
  }
  const BlobServer server(kSize);
  const ScratchDirectory scratch;
  LoopMount mount(where, scratch.path());
  Bench bench{mount, wants_all(), std::mt19937(chosen_seed()), {}};
  for (const Writer& writer : writers(server)) {
    for (const bool replaces : {false, true}) test_output(bench, writer, replaces);
  }
  test_vault(bench);
  std::printf("%u cuts, %u failed\n", bench.tally.tried, bench.tally.failed);
  return bench.tally.failed == 0 && bench.tally.tried > 0 ? 0 : 1;
}

}  // namespace
}  // namespace shunt::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: crash_outputs ext4|xfs\n");
    return 2;
  }
  return shunt::test::run(argv[1]);
}
