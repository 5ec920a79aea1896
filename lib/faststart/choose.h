// Choosing a strategy: the order of `auto`, and why one is passed over.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "faststart/faststart.h"
#include "faststart/plan.h"
#include "faststart/strategy.h"
#include "io/directory.h"
#include "io/file.h"
#include "io/file_system.h"

namespace shunt::faststart {

// The file that a strategy is chosen for, and where it lies.
struct Setting {
  struct stat status {};
  bool has_status = false;
  io::FileSystem file_system;
  bool is_of_other_project = false;       // than a new file there may be
  gid_t new_group = 0;                    // of a new file there
  std::uint64_t size_limit = UINT64_MAX;  // RLIMIT_FSIZE: no byte is written from there on

  // Of `file`, in `directory`.
  static Result<Setting> of(const io::Directory& directory, const io::File& file);
  // What holds for a new file in `directory`; the rest is of `file`, which may be elsewhere.
  static Result<Setting> beside(const io::Directory& directory, const io::File* file);
};

// Whether `plan` writes beyond the limit on the size of files, where an edit might get stuck in the
// middle. Empty when it does not.
[[nodiscard]] std::string why_too_large(const Plan& plan, const Setting& setting);

// Whether nothing can come of running `plan` on the file itself, whoever asks for it: it is too
// large, or makes a new file that cannot be given the name or the owner of the old one. Empty when
// something can.
[[nodiscard]] std::string why_impossible(const Plan& plan, const Setting& setting);

// Whether there is less space than running `plan` is sure to take. Empty when there is enough.
[[nodiscard]] std::string why_no_space(const Plan& plan, const Setting& setting);

// Whether `plan` may be run on the file itself. Empty when it may, otherwise the reason for people.
[[nodiscard]] std::string why_not(const Plan& plan, const Setting& setting);

// Why `plan` is not run on the file itself where these options were given, in a dry run too. Empty
// when it is.
[[nodiscard]] std::string why_not_run(const Plan& plan, const Setting& setting,
                                      const Options& options);

// Why a new file is not made by sharing extents, once trying it has failed.
[[nodiscard]] std::string why_not_shared(const Setting& setting);

// The strategies in question, in the order in which they are tried.
[[nodiscard]] std::vector<Strategy> candidates(const Options& options);

// What running it amounts to, in a few words: "the file system opens 12.0 KiB at byte 0; only moov
// is written". A new file takes the place of the old one, or goes elsewhere (-o).
enum class NewFileGoes { kInItsPlace, kElsewhere };
[[nodiscard]] std::string describe(const Plan& plan, NewFileGoes where = NewFileGoes::kInItsPlace);

// After this failure of a strategy, which has left the file as it was, `auto` tries the next one.
[[nodiscard]] bool leaves_to_others(Strategy strategy, const Error& error);

}  // namespace shunt::faststart
