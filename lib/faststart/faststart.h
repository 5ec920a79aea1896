// faststart: moves an MP4's moov in front of its media, in the cheapest way that the file allows.
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

// Pointers are not owned and outlive the call.
struct Options {
  const Strategy* strategy = nullptr;  // null: auto, the first suitable one of `strategies`
  StrategyTable strategies = all_strategies();
  bool keep_inode = false;      // use only strategies that change the file itself
  std::uint64_t padding = 0;    // bytes to leave free behind moov
  bool verify = false;          // compare packets before and after
  bool dry_run = false;         // plan only; change nothing
  bool recover_only = false;    // recover an interrupted run; do nothing else
  bool preserve_times = false;  // keep the time of modification
  bool force = false;           // an existing output file may be replaced
  Context context = {};
};

enum class Status {
  kMoved,
  kAlready,    // moov was in front; nothing was done
  kPlanned,    // dry run
  kRecovered,  // an interrupted run was finished or undone; nothing else was needed
  kNothing,    // recover_only, and no run was interrupted
  kFailed,
};
[[nodiscard]] std::string_view name_of(Status status);

// How `auto` judges a strategy for a file.
struct Assessment {
  const Strategy* strategy = nullptr;
  bool suitable = false;
  std::string reason;  // why it is suitable, or why not
};

// The result of one run on one file. Sizes are in bytes.
struct Report {
  std::string path;
  Status status = Status::kFailed;
  const Strategy* strategy = nullptr;  // null: none
  std::uint64_t size_before = 0;
  std::uint64_t size_after = 0;
  std::uint64_t moov_size = 0;      // size of the new moov
  std::uint64_t shift = 0;          // distance by which the media moved
  std::uint64_t padding = 0;        // size of the free box behind moov
  std::uint32_t co64_upgraded = 0;  // number of stco tables that became co64
  std::uint64_t bytes_read = 0;     // in a dry run: an estimate
  std::uint64_t bytes_written = 0;  // in a dry run: an estimate
  double seconds = 0;
  std::optional<bool> verified;  // nullopt: not asked for, or nothing to compare
  std::optional<Error> error;    // set when status is kFailed
  std::vector<std::string> warnings;

  // The strategies that were considered, in a dry run or a run that failed.
  std::vector<Assessment> assessments;

  bool dry_run = false;
  std::uint64_t memory = 0;      // upper bound on memory held during the run
  std::uint64_t disk_space = 0;  // needed besides the file

  // What became of an earlier, interrupted run.
  enum class Recovery { kNothing, kOriginal, kFinished } recovery = Recovery::kNothing;
};

enum class Reading {
  kWholeFile,    // kBusy if another process holds a lock; holds a shared lock while open
  kHeadersOnly,  // takes no lock, unless there is a journal
};

// Opens the file at `path` for reading. Fails when there is a journal beside it: an interrupted run
// may have left bytes of both the original and the result. `counters` and `cancel` may be null;
// otherwise they outlive the source.
Result<io::SourcePtr> open_source(const std::string& path, Reading reading,
                                  io::Counters* counters = nullptr,
                                  const CancelToken* cancel = nullptr);

// Returns true if moov comes before all media. Reads headers, and tables only if a box other than
// mdat has content in front of moov.
Result<bool> moov_is_in_front(const io::SourcePtr& source);

// Moves moov in the file itself. Failures are in the report. One thread per file.
Report run_in_place(const std::string& path, const Options& options);

// Writes the result to a new file `out`, which appears under its name when it is complete. For a
// pipe or a device (files::names_stream) use run_to_stream.
Report run_to_file(const io::SourcePtr& source, const std::string& out, const Options& options);

// Returns kUsage if options.strategy cannot write into a stream. run_to_stream and run_from_pipe
// call it first; a caller may call it earlier, before it waits for a reader.
[[nodiscard]] Result<void> check_writes_in_order(const Options& options);

// Writes the result to `out`, an open pipe or device. In a dry run `out` need not be open.
Report run_to_stream(const io::SourcePtr& source, io::File& out, const Options& options);

// Like run_to_stream, with a pipe as input. Input with moov first passes through in constant
// memory; other input is spooled to an unlinked file in $TMPDIR.
Report run_from_pipe(const io::File& in, io::File& out, const Options& options);

// Spools all of a pipe, so that it can be read at random (io/spool.h).
Result<io::SourcePtr> spool(const io::File& in, const CancelToken* cancel);

// Upper bound on the memory of a run, besides the program itself. --verify is not included.
inline constexpr std::uint64_t kMemoryBound = std::uint64_t{32} << 20;

}  // namespace shunt::faststart
