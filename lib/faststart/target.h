// The file to be changed in place. It is found and inspected with a read-only descriptor; it is
// opened for writing and locked only once there is something to do.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <optional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/counters.h"
#include "shunt/io/file.h"

namespace shunt::faststart {

// One owner, one thread. Not movable: others refer to its directory.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // Resolves `path`, opens its directory and opens the file for reading. Files beside it are looked
  // up in that directory, so that renames in the path do not lead elsewhere. Waits for a lease of
  // another process to be released. `counters` and `cancel` may be null; `counters` outlives the
  // target.
  Result<void> find(const std::string& path, io::Counters* counters, const CancelToken* cancel);

  // Opens the file for writing and locks it. Returns kBusy if another process has it open for
  // writing or locked. If the name leads to another file by then, takes that one.
  Result<void> take(const CancelToken* cancel);
  // Returns the error that take(), or making a file beside it, would return, as far as can be known
  // without disturbing other processes.
  [[nodiscard]] Result<void> could_take() const;

  // The path with every symbolic link resolved.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const files::Directory& directory() const { return *directory_; }
  // The name within the directory.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] io::File& file() { return file_; }
  [[nodiscard]] const io::File& file() const { return file_; }
  // The status when the file was opened, or at the last note_status().
  [[nodiscard]] const struct stat& status() const { return status_; }
  Result<void> note_status();
  // The time of the last access by another program.
  [[nodiscard]] const struct timespec& accessed() const { return accessed_; }

  // Returns true if the file, and the file that its name leads to, are unchanged since then.
  [[nodiscard]] bool is_as_noted() const;
  // Returns true if no other process has it locked at this moment.
  [[nodiscard]] bool is_free() const;
  // Removes useless leftovers of runs that died, unless another process is at work on the file.
  void sweep() const;
  // Returns true if there is a file beside it that may be its journal.
  [[nodiscard]] Result<bool> has_journal() const;

 private:
  // Opens it with `flags`, read-only or read-write.
  Result<io::File> open(int flags, const char* operation, io::Counters* counters,
                        const CancelToken* cancel) const;

  std::string given_;  // path as given by the caller
  std::string path_;
  std::string name_;  // within the directory
  std::optional<files::Directory> directory_;
  io::File file_;
  struct stat status_ {};
  struct timespec accessed_ {};
};

}  // namespace shunt::faststart
