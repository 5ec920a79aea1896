// crash_test: edits a movie in place, goes wrong at each call that changes something, recovers, and
// holds what is there against the original and the result, byte for byte.
//
//   crash_test calls ext4|xfs|btrfs|DIR   killed before and after, EIO, ENOSPC, short writes
//   crash_test power ext4|xfs             the power cut after each call, log flushed or not
//   crash_test twice ext4|xfs|DIR         killed, then killed again while recovering
//   crash_test torn  ext4|xfs             an insertion stopped at each extent boundary
//   crash_test grown ext4|xfs|DIR         another program appends before a call, and then, or
//                                         later, the run is killed, or goes on; or it is killed,
//                                         on its way forward or back, and another program appends
//                                         to what it left
//   crash_test order DIR                  unsynced writes kept or lost at random, in any order
//
// Exit 77: not possible here. SHUNT_TEST_FULL=1 leaves nothing out; SHUNT_SEED picks the sample.
// SHUNT_SANITIZED=1 takes a smaller one: each run is dear there, and what it looks for is in the
// code that the runs have in common.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "faulty_kernel.h"
#include "harness.h"
#include "loop_mount.h"
#include "shunt/base/big_endian.h"
#include "shunt/files/directory.h"
#include "shunt/in_place/journal.h"
#include "shunt/io/extent_map.h"
#include "shunt/io/kernel.h"
#include "workbench.h"
#include "write_log.h"

namespace shunt::test {
namespace {

constexpr std::size_t kManyExtents = 100'000;  // bytes; a smaller file has few extents anyway

struct Tally {
  unsigned tried = 0;
  unsigned failed = 0;
  unsigned originals = 0;
  unsigned results = 0;
};

// Everything that a mode of the test works with.
struct Setup {
  std::unique_ptr<LoopMount> mount;  // null in a plain directory
  std::unique_ptr<Workbench> bench;
  bool full = false;
  bool sanitized = false;
  bool keeps_times = true;  // false where a mode makes states without them
  std::mt19937 random;
  Tally tally;

  // The calls to go wrong at: all of them, or a sample that has both ends.
  std::vector<unsigned> sample(unsigned count, unsigned most, unsigned most_sanitized) {
    if (sanitized) most = most_sanitized;
    std::vector<unsigned> all(count);
    for (unsigned i = 0; i < count; ++i) all[i] = i + 1;
    if (full || count <= most) return all;
    std::vector<unsigned> chosen{all.front()};
    std::sample(all.begin() + 1, all.end() - 1, std::back_inserter(chosen), most - 2, random);
    chosen.push_back(all.back());
    return chosen;
  }
};

int run_in_child(const Setup& setup, FaultyKernel& kernel, const Fixture& fixture) {
  return in_child(kernel, [&] {
    const faststart::Report report = setup.bench->run(fixture);
    if (report.error && std::getenv("SHUNT_CRASH_VERBOSE") != nullptr) {
      std::printf("    child: %s; %s\n", report.error->describe().c_str(),
                  report.error->hint.c_str());
      std::fflush(nullptr);
    }
    return report.error ? 1 : 0;
  });
}

void complain(Setup& setup, const std::string& where, const std::string& what) {
  ++setup.tally.failed;
  std::printf("FAILED %s: %s\n", where.c_str(), what.c_str());
}

// The uninterrupted run: what the result is, and which calls it makes. nullopt when the strategy is
// not possible on this file system.
struct Reference {
  Bytes result;
  std::vector<std::string> calls;
};

std::optional<Reference> reference(Setup& setup, const Fixture& fixture,
                                   bool reserves_no_space = false) {
  setup.bench->reset(fixture.original);
  FaultyKernel counting(Fault::kNone, 0);
  counting.reserves_no_space = reserves_no_space;
  const io::KernelOverride installed(&counting);
  const faststart::Report report = setup.bench->run(fixture);
  if (report.error) {
    if (report.error->code == ErrorCode::kUnsuitable || report.error->code == ErrorCode::kLocalIo) {
      return std::nullopt;
    }
    complain(setup, std::string(fixture.name), report.error->describe());
    return std::nullopt;
  }
  return Reference{read_file(setup.bench->target()), counting.names()};
}

// After whatever happened: recovers, and checks that one of the two good states is there and
// nothing else. A child that said it had succeeded must have left the result.
void recover_and_check(Setup& setup, const std::string& where, const Fixture& fixture,
                       const Bytes& result, bool claimed_success) {
  ++setup.tally.tried;
  if (claimed_success &&
      content_of(setup.bench->target(), fixture.original, result) != Content::kResult) {
    complain(setup, where, "it reported success, but the result is not there");
  }
  const faststart::Report report = setup.bench->recover(fixture);
  if (report.error) {
    complain(setup, where, "recovery: " + report.error->describe());
    return;
  }
  switch (content_of(setup.bench->target(), fixture.original, result)) {
    case Content::kNeither:
      complain(setup, where, "neither original nor result");
      return;
    case Content::kOriginal:
      ++setup.tally.originals;
      if (report.recovery == faststart::Report::Recovery::kFinished) {
        complain(setup, where, "it says finished, but the original is there");
      }
      break;
    case Content::kResult:
      ++setup.tally.results;
      if (report.recovery == faststart::Report::Recovery::kOriginal) {
        complain(setup, where, "it says original, but the result is there");
      }
      break;
  }
  if (fixture.preserve_times && setup.keeps_times && !setup.bench->is_as_old()) {
    complain(setup, where, "the time of modification is another one");
  }
  for (const std::string& name : setup.bench->leftovers()) complain(setup, where, "left " + name);
}

std::string where_text(const Fixture& fixture, const Reference& reference, unsigned at,
                       Fault fault) {
  return std::string(fixture.name) + " call " + std::to_string(at) + " (" +
         reference.calls[at - 1] + ") " + name_of(fault);
}

// ---- the modes ----------------------------------------------------------------------------------

void test_calls(Setup& setup, const Fixture& fixture) {
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) {
    std::printf("%-14s not possible here\n", std::string(fixture.name).c_str());
    return;
  }
  const auto count = static_cast<unsigned>(known->calls.size());
  for (const Fault fault :
       {Fault::kKillBefore, Fault::kKillAfter, Fault::kEio, Fault::kEnospc, Fault::kShort}) {
    for (const unsigned at : setup.sample(count, 40, 12)) {
      setup.bench->reset(fixture.original);
      FaultyKernel kernel(fault, at);
      const int status = run_in_child(setup, kernel, fixture);
      const std::string where = where_text(fixture, *known, at, fault);
      const bool killed = fault == Fault::kKillBefore || fault == Fault::kKillAfter;
      if (killed != (status == -SIGKILL)) {
        complain(setup, where, "the child ended with " + std::to_string(status));
      }
      recover_and_check(setup, where, fixture, known->result, status == 0);
    }
  }
  std::printf("%-14s %u calls\n", std::string(fixture.name).c_str(), count);
}

// The power goes as soon as the program has said that it is done.
void cut_after_success(Setup& setup, const Fixture& fixture, const Bytes& result, bool keep_log) {
  setup.bench->reset(fixture.original);
  FaultyKernel kernel(Fault::kNone, 0);
  const int status = run_in_child(setup, kernel, fixture);
  shut_down(setup.bench->directory(), keep_log);
  setup.mount->remount();
  const std::string where =
      std::string(fixture.name) + " right after success" + (keep_log ? ", log flushed" : "");
  if (status != 0) complain(setup, where, "the child ended with " + std::to_string(status));
  recover_and_check(setup, where, fixture, result, true);
}

void test_power(Setup& setup, const Fixture& fixture) {
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) return;
  const auto count = static_cast<unsigned>(known->calls.size());
  for (const bool keep_log : {false, true}) {
    for (const unsigned at : setup.sample(count, 12, 8)) {
      setup.bench->reset(fixture.original);
      FaultyKernel kernel(Fault::kCutAfter, at);
      kernel.cut_power = [&] {
        shut_down(setup.bench->directory(), keep_log);
        ::raise(SIGKILL);
      };
      run_in_child(setup, kernel, fixture);
      setup.mount->remount();
      recover_and_check(
          setup,
          where_text(fixture, *known, at, Fault::kCutAfter) + (keep_log ? ", log flushed" : ""),
          fixture, known->result, false);
    }
    cut_after_success(setup, fixture, known->result, keep_log);
  }
  std::printf("%-14s %u calls\n", std::string(fixture.name).c_str(), count);
}

void test_twice(Setup& setup, const Fixture& fixture) {
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) return;
  const auto count = static_cast<unsigned>(known->calls.size());
  for (const unsigned at : setup.sample(count, 10, 4)) {
    // Recovery has few calls of its own, or, in the middle of a shift, as many as the shift.
    for (const unsigned second : {1U, 2U, 3U, 4U, 5U, 7U, 11U, 23U, 60U}) {
      setup.bench->reset(fixture.original);
      FaultyKernel first_kernel(Fault::kKillAfter, at);
      run_in_child(setup, first_kernel, fixture);
      FaultyKernel second_kernel(second % 2 == 0 ? Fault::kKillBefore : Fault::kKillAfter, second);
      in_child(second_kernel, [&] { return setup.bench->recover(fixture).error ? 1 : 0; });
      recover_and_check(setup,
                        where_text(fixture, *known, at, Fault::kKillAfter) + ", again at call " +
                            std::to_string(second) + " of recovery",
                        fixture, known->result, false);
    }
  }
}

// What the file may be once another program has appended `more` during an edit: the original or the
// result with that behind it. Where the tail would have been cut off it is still there, its moov
// made a free box.
struct Grown {
  Bytes original;
  Bytes result;
};

Grown grown_states(const Fixture& fixture, const Bytes& result, const Bytes& more) {
  Grown grown{fixture.original, result};
  const Bytes& old = fixture.original;
  const Bytes type = {std::byte{'m'}, std::byte{'o'}, std::byte{'o'}, std::byte{'v'}};
  const auto moov = std::find_end(old.begin(), old.end(), type.begin(), type.end()) - 4;
  // With something behind its old moov, the result has that marked already.
  const bool is_last = load_be<std::uint32_t>(&*moov) == static_cast<std::size_t>(old.end() - moov);
  if (is_last) {
    grown.result.insert(grown.result.end(), moov, old.end());
    const Bytes mark = {std::byte{'f'}, std::byte{'r'}, std::byte{'e'}, std::byte{'e'}};
    std::copy(mark.begin(), mark.end(),
              grown.result.begin() + static_cast<std::ptrdiff_t>(result.size()) + 4);
  }
  grown.original.insert(grown.original.end(), more.begin(), more.end());
  grown.result.insert(grown.result.end(), more.begin(), more.end());
  return grown;
}

// False when a lease keeps everybody out just now, which would be waited for.
bool append(const std::string& path, const Bytes& more) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == EWOULDBLOCK) return false;
  if (fd < 0 || ::write(fd, more.data(), more.size()) != static_cast<ssize_t>(more.size()) ||
      ::close(fd) != 0) {
    ::_exit(2);
  }
  return true;
}

void recover_grown(Setup& setup, const std::string& where, const Fixture& fixture,
                   const Bytes& result, const Grown& grown, const Bytes& more, int status) {
  ++setup.tally.tried;
  const faststart::Report report = setup.bench->recover(fixture);
  Bytes whole = result;
  whole.insert(whole.end(), more.begin(), more.end());
  const Bytes now = read_file(setup.bench->target());
  // Behind the cut: the edit was over when something was appended to its result.
  const bool to_result = now == whole;
  if (report.error) {
    complain(setup, where, "recovery: " + report.error->describe());
    return;
  }
  if (now == grown.original) {
    ++setup.tally.originals;
  } else if (now == grown.result || to_result) {
    ++setup.tally.results;
  } else if (now == fixture.original || now == result) {
    complain(setup, where, "what was appended is gone");
  } else {
    complain(setup, where, "neither original nor result (" + std::to_string(now.size()) + ")");
  }
  if (status == 0 && !to_result) complain(setup, where, "it reported success");
  for (const std::string& name : setup.bench->leftovers()) complain(setup, where, "left " + name);
}

// Appends to what a run that was killed has left, behind the cut too.
void test_grown_after(Setup& setup, const Fixture& fixture, const Reference& known,
                      const Bytes& more, const Grown& grown) {
  const auto count = static_cast<unsigned>(known.calls.size());
  std::set<unsigned> calls;
  for (const unsigned at : setup.sample(count, 10, 4)) calls.insert(at);
  // The cut and what comes behind it.
  for (unsigned at = count - std::min(count, 4U) + 1; at <= count; ++at) calls.insert(at);
  for (const unsigned at : calls) {
    setup.bench->reset(fixture.original);
    FaultyKernel kernel(Fault::kKillAfter, at);
    const int status = run_in_child(setup, kernel, fixture);
    if (!append(setup.bench->target(), more)) std::exit(2);
    recover_grown(setup,
                  where_text(fixture, known, at, Fault::kKillAfter) + ", then " +
                      std::to_string(more.size()) + " bytes appended",
                  fixture, known.result, grown, more, status);
  }
}

void test_grown(Setup& setup, const Fixture& fixture) {
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) return;
  const auto count = static_cast<unsigned>(known->calls.size());
  // The child tells by it.
  auto* const appended = static_cast<bool*>(
      ::mmap(nullptr, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (appended == MAP_FAILED) std::exit(2);
  // Less than a block, and more than any gap here.
  for (const std::size_t size : {std::size_t{777}, std::size_t{300'000}}) {
    const Bytes more(size, std::byte{'+'});
    const Grown grown = grown_states(fixture, known->result, more);
    test_grown_after(setup, fixture, *known, more, grown);
    for (const unsigned at : setup.sample(count, 9, 4)) {
      for (const unsigned later : {0U, 1U, 2U, 3U, 9U, 40U, UINT32_MAX}) {
        setup.bench->reset(fixture.original);
        const bool killed = later != UINT32_MAX;
        FaultyKernel kernel(later % 2 == 0 ? Fault::kKillBefore : Fault::kKillAfter,
                            killed ? at + later : 0);
        kernel.other_at = at;
        *appended = false;
        kernel.other = [&] { return *appended = append(setup.bench->target(), more); };
        const int status = run_in_child(setup, kernel, fixture);
        // Kept out until the run was killed: now it gets in.
        if (!*appended && !append(setup.bench->target(), more)) std::exit(2);
        const std::string where = where_text(fixture, *known, at, Fault::kNone) + ", " +
                                  std::to_string(size) + " bytes appended, " +
                                  (killed ? "killed " + std::to_string(later) + " later" : "");
        recover_grown(setup, where, fixture, known->result, grown, more, status);
      }
    }
  }
  std::printf("%-14s %u calls\n", std::string(fixture.name).c_str(), count);
}

// What is appended early makes a shift go back. The run is killed when it has cut off the gap, or
// later, and another program appends as much as the gap had, or less or more: that is no gap.
void test_grown_undone(Setup& setup, const Fixture& fixture) {
  if (fixture.strategy != faststart::strategy_named("shift")) return;
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) return;
  const Bytes more(777, std::byte{'+'});
  const auto allocate = std::find(known->calls.begin(), known->calls.end(), "allocate");
  const auto early = static_cast<unsigned>(allocate - known->calls.begin()) + 3;
  const auto go_wrong = [&](FaultyKernel& kernel) {
    setup.bench->reset(fixture.original);
    kernel.other_at = early;
    kernel.other = [&] { return append(setup.bench->target(), more); };
  };
  FaultyKernel counting(Fault::kNone, 0);
  go_wrong(counting);
  {
    const io::KernelOverride installed(&counting);
    const faststart::Report report = setup.bench->run(fixture);
    if (!report.error || report.error->code != ErrorCode::kBusy) {
      complain(setup, std::string(fixture.name), "what was appended early went unseen");
      return;
    }
  }
  const std::vector<std::string>& calls = counting.names();
  const auto cut = std::find(calls.begin(), calls.end(), "ftruncate");
  if (cut == calls.end()) {
    // A small one is nearly done when that is seen, and goes on.
    if (fixture.original.size() > kManyExtents) {
      complain(setup, std::string(fixture.name), "it was not undone");
    }
    return;
  }
  const auto first = static_cast<unsigned>(cut - calls.begin());  // the one before
  std::vector<std::size_t> sizes = {777, 4096, 8192, 12'288, 300'000};
  if (setup.sanitized && !setup.full) sizes = {4096, 300'000};
  for (unsigned at = first; at <= calls.size(); ++at) {
    for (const std::size_t size : sizes) {
      for (const std::byte content : {std::byte{'-'}, std::byte{0}}) {
        FaultyKernel kernel(Fault::kKillAfter, at);
        go_wrong(kernel);
        const int status = run_in_child(setup, kernel, fixture);
        const Bytes later(size, content);
        if (!append(setup.bench->target(), later)) std::exit(2);
        Bytes all = more;
        all.insert(all.end(), later.begin(), later.end());
        recover_grown(setup,
                      std::string(fixture.name) + " undone, killed at call " + std::to_string(at) +
                          " (" + calls[at - 1] + "), then " + std::to_string(size) +
                          (content == std::byte{0} ? " zeros" : " bytes") + " appended",
                      fixture, known->result, grown_states(fixture, known->result, all), all,
                      status);
      }
    }
  }
}

// While another program has the file open, so that no lease keeps it out; and on a file system that
// cannot reserve space.
void test_grown_in_use(Setup& setup, const Fixture& fixture, bool reserves_no_space) {
  if (fixture.strategy != faststart::strategy_named("shift")) return;
  const std::optional<Reference> known = reference(setup, fixture, true);
  if (!known) return;
  const auto count = static_cast<unsigned>(known->calls.size());
  std::set<unsigned> calls;
  for (const unsigned at : setup.sample(count, 6, 3)) calls.insert(at);
  // The journal, the space and the first step.
  for (unsigned at = 2; at <= std::min(count, 14U); ++at) calls.insert(at);
  for (const std::size_t size : {std::size_t{777}, std::size_t{300'000}}) {
    const Bytes more(size, std::byte{'+'});
    const Grown grown = grown_states(fixture, known->result, more);
    for (const unsigned at : calls) {
      // The first call makes the journal: by then it has been seen that nobody had the file open.
      if (at == 1) continue;
      // What is appended without a lease between the last look at the size and the cut goes with
      // the cut (docs/design/faststart.md, "What another program appends").
      if (known->calls[at - 1] == "ftruncate") continue;
      for (const unsigned later : {0U, 1U, 2U, 3U, UINT32_MAX}) {
        if (setup.sanitized && !setup.full && later % 2 == 0) continue;
        setup.bench->reset(fixture.original);
        const bool killed = later != UINT32_MAX;
        FaultyKernel kernel(later == 2 ? Fault::kKillBefore : Fault::kKillAfter,
                            killed ? at + later : 0);
        kernel.reserves_no_space = reserves_no_space;
        kernel.other_at = 1;
        int fd = -1;
        kernel.other = [&] {
          if (fd < 0) {
            fd = ::open(setup.bench->target().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
            kernel.other_at = at;
            return fd >= 0;
          }
          return ::write(fd, more.data(), more.size()) == static_cast<ssize_t>(more.size());
        };
        const int status = run_in_child(setup, kernel, fixture);
        const std::string where = where_text(fixture, *known, at, Fault::kNone) + ", " +
                                  std::to_string(size) +
                                  " bytes appended by one that has it open, " +
                                  (reserves_no_space ? "no space reserved, " : "") +
                                  (killed ? "killed " + std::to_string(later) + " later" : "");
        recover_grown(setup, where, fixture, known->result, grown, more, status);
      }
    }
  }
}

constexpr std::uint64_t kFragment = 16384;

// Leaves only small pieces of free space on an ext4, so that every file on it has many extents: a
// file takes all there is, then gives back every other piece of it.
void shatter_free_space(const std::string& mount_point) {
  auto filler = io::File::create(mount_point + "/filler");
  if (!filler) std::exit(2);
  std::uint64_t size = 0;
  for (std::uint64_t step = std::uint64_t{8} << 20; step >= kFragment;) {
    if (filler->allocate(ByteRange::of(size, step))) {
      size += step;
    } else {
      step /= 2;
    }
  }
  for (std::uint64_t at = 0; at + kFragment <= size; at += 2 * kFragment) {
    if (!filler->punch_hole(ByteRange::of(at, kFragment))) std::exit(2);
  }
  if (!filler->sync()) std::exit(2);
}

// Writes the file anew, with holes where it is zero, and in many extents: from the back, with a
// sync after each piece, so that XFS cannot allocate it in one stretch.
void fragment(const std::string& path, const Bytes& bytes) {
  constexpr std::size_t kPiece = 16384;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const auto size = static_cast<off_t>(bytes.size());
  if (fd < 0 || ::ftruncate(fd, size) != 0) std::exit(2);
  for (std::size_t end = bytes.size(); end > 0;) {
    // The first block stands alone.
    const std::size_t begin = end > kPiece ? (end - 1) / kPiece * kPiece : end > 4096 ? 4096 : 0;
    const bool zeros = std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                   bytes.begin() + static_cast<std::ptrdiff_t>(end),
                                   [](std::byte b) { return b == std::byte{0}; });
    if (!zeros && ::pwrite(fd, bytes.data() + begin, end - begin, static_cast<off_t>(begin)) < 0) {
      std::exit(2);
    }
    if (::fsync(fd) != 0) std::exit(2);
    end = begin;
  }
  ::close(fd);
}

// Space behind the end of the file, as writers that expect more reserve it.
void preallocate(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0 ||
      ::fallocate(fd, FALLOC_FL_KEEP_SIZE, status.st_size, 1 << 18) != 0 || ::fsync(fd) != 0) {
    std::exit(2);
  }
  ::close(fd);
}

// The movie with stretches of zeros in its media, so that the file has holes of its own.
Bytes with_holes(Bytes bytes) {
  // The first one right behind the first block, which then is an extent of its own.
  for (std::size_t at = 4096; at + 49152 < bytes.size() * 3 / 4; at += 81920) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 32768, std::byte{0});
  }
  return bytes;
}

// The states between the first and the last step of the kernel's own insertion, made by inserting
// the range further on.
enum class Storage { kDense, kHoles, kBlocksBehindEnd };

const char* name_of(Storage storage) {
  switch (storage) {
    case Storage::kDense:
      return "";
    case Storage::kHoles:
      return ", with holes";
    case Storage::kBlocksBehindEnd:
      return ", with blocks behind the end";
  }
  return "";
}

void test_torn(Setup& setup, Fixture fixture, Storage storage) {
  if (storage == Storage::kHoles) fixture.original = with_holes(fixture.original);
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) {
    complain(setup, std::string(fixture.name), "insertion is not possible here");
    return;
  }
  const auto insert = std::find(known->calls.begin(), known->calls.end(), "insert");
  const auto at = static_cast<unsigned>(insert - known->calls.begin()) + 1;
  unsigned boundaries = 0;
  for (std::size_t index = 0;; ++index) {
    setup.bench->reset(fixture.original);
    fragment(setup.bench->target(), fixture.original);
    if (storage == Storage::kBlocksBehindEnd) preallocate(setup.bench->target());
    FaultyKernel kernel(Fault::kKillBefore, at);
    run_in_child(setup, kernel, fixture);
    const auto directory = files::Directory::holding(setup.bench->target());
    auto file = io::File::open_to_change(setup.bench->target());
    if (!directory || !file) std::exit(2);
    const auto journal = in_place::Journal::open(*directory, *file);
    if (!journal || !*journal) {
      complain(setup, std::string(fixture.name), "no journal to begin with");
      return;
    }
    const in_place::Edit& edit = (*journal)->record().edit;
    const auto extents = io::extents_of(*file, {0, edit.size_before}, 10000);
    if (!extents || index > extents->size()) break;
    // The last state in the list, which is the kernel's first: the file has only grown.
    if (index == extents->size()) {
      if (!file->truncate(edit.size_with_gap())) std::exit(2);
    } else {
      const std::uint64_t boundary = (*extents)[index].begin;
      if (boundary < edit.gap_at) continue;
      if (!file->insert_range(boundary, edit.gap_size)) std::exit(2);
    }
    if (!file->sync()) std::exit(2);
    file = io::File();
    ++boundaries;
    recover_and_check(
        setup,
        std::string(fixture.name) + name_of(storage) + " torn at extent " + std::to_string(index),
        fixture, known->result, false);
  }
  std::printf("%-14s %u boundaries%s\n", std::string(fixture.name).c_str(), boundaries,
              name_of(storage));
  if (fixture.original.size() > kManyExtents && boundaries < 8)
    complain(setup, std::string(fixture.name), "too few extents to mean much");
}

// Every state that the syncs allow, as far as chance finds them. `done`: the run has claimed
// success after all changes.
void check_states(Setup& setup, const std::string& what, const Fixture& fixture,
                  const Bytes& result, const WriteLog& log, bool done) {
  const unsigned tries = setup.full ? 50 : setup.sanitized ? 3 : 6;
  for (std::size_t count = 0; count <= log.changes(); ++count) {
    for (unsigned i = 0; i < tries; ++i) {
      const WriteLog::Files files = log.state(count, setup.random);
      // The target keeps its inode, which the journal knows it by.
      for (const std::string& name : setup.bench->leftovers()) {
        ::unlink((setup.bench->directory() + "/" + name).c_str());
      }
      for (const auto& [path, bytes] : files) write_file(path, bytes);
      recover_and_check(setup, what + " after change " + std::to_string(count), fixture, result,
                        done && count == log.changes());
    }
  }
  std::printf("%-14s %zu changes\n", what.c_str(), log.changes());
}

// What a disk may make of the order of writes, forward, and back from a write that finds no space.
void test_order(Setup& setup, const Fixture& fixture) {
  // What inserts ranges or changes the inode is for the power cuts.
  if (fixture.strategy != faststart::strategy_named("reserve") &&
      fixture.strategy != faststart::strategy_named("shift")) {
    return;
  }
  const std::optional<Reference> known = reference(setup, fixture);
  if (!known) return;
  // Behind the journal, its slots and the first cursor, a few steps are made.
  for (const unsigned full_at : {0U, 4U, 9U}) {
    const std::string what =
        std::string(fixture.name) +
        (full_at == 0 ? "" : ", no space for write " + std::to_string(full_at));
    setup.bench->reset(fixture.original);
    WriteLog log(setup.bench->target(), fixture.original);
    log.full_at = full_at;
    bool done = false;
    {
      const io::KernelOverride installed(&log);
      done = !setup.bench->run(fixture).error;
    }
    if (!done && full_at == 0) {
      complain(setup, what, "the recorded run failed");
      return;
    }
    check_states(setup, what, fixture, known->result, log, done);
  }
}

int run(const std::string& mode, const std::string& where) {
  const ScratchDirectory scratch;
  Setup setup;
  setup.full = wants_all();
  setup.keeps_times = mode != "order" && mode != "torn";
  const char* const sanitized_text = std::getenv("SHUNT_SANITIZED");
  setup.sanitized = sanitized_text != nullptr && std::string_view(sanitized_text) == "1";
  setup.random.seed(chosen_seed());
  if (where == "ext4" || where == "xfs" || where == "btrfs") {
    if (!LoopMount::possible(where)) {
      std::printf("skipped: needs root, loop devices and mkfs.%s\n", where.c_str());
      return kSkipped;
    }
    setup.mount = std::make_unique<LoopMount>(where, scratch.path());
    const std::string bench = setup.mount->mount_point() + "/bench";
    if (::mkdir(bench.c_str(), 0700) != 0) return 2;
    setup.bench = std::make_unique<Workbench>(bench);
    if (mode == "torn" && where == "ext4") shatter_free_space(setup.mount->mount_point());
  } else {
    setup.bench = std::make_unique<Workbench>(scratch.path());
  }
  for (const Fixture& fixture : fixtures()) {
    if (mode == "calls") test_calls(setup, fixture);
    if (mode == "power") test_power(setup, fixture);
    if (mode == "twice") test_twice(setup, fixture);
    if (mode == "order") test_order(setup, fixture);
    if (mode == "grown") {
      test_grown(setup, fixture);
      test_grown_undone(setup, fixture);
      test_grown_in_use(setup, fixture, false);
      test_grown_in_use(setup, fixture, true);
    }
    if (mode == "torn" && fixture.strategy == faststart::strategy_named("insert")) {
      test_torn(setup, fixture, Storage::kDense);
      test_torn(setup, fixture, Storage::kBlocksBehindEnd);
      if (fixture.original.size() > kManyExtents) test_torn(setup, fixture, Storage::kHoles);
    }
  }
  const Tally& tally = setup.tally;
  std::printf("%u states: %u originals, %u results, %u failed\n", tally.tried, tally.originals,
              tally.results, tally.failed);
  return tally.failed == 0 && tally.tried > 0 ? 0 : 1;
}

}  // namespace
}  // namespace shunt::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr,
                 "usage: crash_test calls|power|twice|torn|order|grown ext4|xfs|btrfs|tmpfs\n");
    return 2;
  }
  return shunt::test::run(argv[1], argv[2]);
}
