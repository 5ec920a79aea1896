// faststart: an MP4's moov in front of its media, the cheapest way that the file allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/faststart/strategies/table.h"
#include "shunt/io/file.h"
#include "shunt/io/source.h"

namespace shunt::faststart {

struct Options {
  const Strategy* strategy = nullptr;  // null: auto, the first of `strategies` that can
  StrategyTable strategies = all_strategies();
  bool keep_inode = false;    // only strategies that change the file itself
  std::uint64_t padding = 0;  // bytes to stay free behind moov
  bool verify = false;        // compare packets before and after
  bool dry_run = false;       // plan, and change nothing
  bool recover_only = false;
  bool preserve_times = false;  // modified: when the original was
  bool force = false;           // an output file may replace an existing one
  Context context = {};
};

enum class Status {
  kMoved,
  kAlready,    // moov was in front; nothing needed doing
  kPlanned,    // dry run
  kRecovered,  // an interrupted run was finished or undone, and nothing else was to do
  kNothing,    // --recover, and nothing was interrupted
  kFailed,
};
[[nodiscard]] std::string_view name_of(Status status);

// What `auto` thinks of a strategy for a file.
struct Assessment {
  const Strategy* strategy = nullptr;
  bool suitable = false;
  std::string reason;  // why, or why not
};

// What became of one file. A value; all sizes in bytes.
struct Report {
  std::string path;
  Status status = Status::kFailed;
  const Strategy* strategy = nullptr;  // null: none
  std::uint64_t size_before = 0;
  std::uint64_t size_after = 0;
  std::uint64_t moov_size = 0;      // the new one
  std::uint64_t shift = 0;          // by which the media moved
  std::uint64_t padding = 0;        // the free box behind moov
  std::uint32_t co64_upgraded = 0;  // tables that had to become 64-bit
  std::uint64_t bytes_read = 0;     // of a dry run: that it would
  std::uint64_t bytes_written = 0;
  double seconds = 0;
  std::optional<bool> verified;  // nullopt: not asked for, or nothing to compare
  std::optional<Error> error;    // of kFailed
  std::vector<std::string> warnings;

  // Of a dry run, and of a run that failed: the strategies that it had tried by then.
  std::vector<Assessment> assessments;

  bool dry_run = false;
  std::uint64_t memory = 0;      // the most that the run holds
  std::uint64_t disk_space = 0;  // needed besides the file

  // What an earlier, interrupted run had left, if anything.
  enum class Recovery { kNothing, kOriginal, kFinished } recovery = Recovery::kNothing;
};

enum class Reading {
  kWholeFile,    // kBusy while another process has it locked; none can lock it while it is open
  kHeadersOnly,  // another process may have it locked, unless there is a journal
};

// The file at `path`, to be read. Fails when an interrupted run has left a journal for it, since
// its bytes may be neither the original's nor the result's then.
Result<io::SourcePtr> open_source(const std::string& path, Reading reading,
                                  io::Counters* counters = nullptr,
                                  const CancelToken* cancel = nullptr);

// Whether moov is in front of all media. Reads headers, and tables only where a box that is no mdat
// has content in front of moov.
Result<bool> moov_is_in_front(const io::SourcePtr& source);

// Moves moov in the file itself. Failures are in the report. One thread a file.
Report run_in_place(const std::string& path, const Options& options);

// Writes the result to a new file `out`, which appears when it is whole. For what is written to in
// order (files::names_stream), run_to_stream is there.
Report run_to_file(const io::SourcePtr& source, const std::string& out, const Options& options);

// Whether the strategy that is asked for, if any, can write into a stream; kUsage otherwise. The
// two below begin with it; a caller may before it waits for the reader of one.
[[nodiscard]] Result<void> check_writes_in_order(const Options& options);

// Writes the result to `out`, an open pipe or the like; of a dry run it need not be open.
Report run_to_stream(const io::SourcePtr& source, io::File& out, const Options& options);

// The same from a pipe. Input whose moov comes first passes through with constant memory; other
// input is spooled to an unlinked file in $TMPDIR.
Report run_from_pipe(const io::File& in, io::File& out, const Options& options);

// All of a pipe, to be read at random (see io/spool.h).
Result<io::SourcePtr> spool(const io::File& in, const CancelToken* cancel);

// The most memory that any run holds besides the program itself, but for --verify.
inline constexpr std::uint64_t kMemoryBound = std::uint64_t{32} << 20;

}  // namespace shunt::faststart
