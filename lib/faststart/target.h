// The file that is to be changed in place: found and looked at with the right to read alone, then
// taken, as late as can be, by whoever finds that there is something to do.
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

// One owner, one thread. It cannot be moved: others refer to its directory.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // Resolves `path` and opens the file for reading, in a directory that stays open: whatever lies
  // beside the file is looked for there, and no name that is exchanged meanwhile leads elsewhere.
  // Waits for whoever has a lease on it.
  Result<void> find(const std::string& path, io::Counters* counters, const CancelToken* cancel);

  // Opens the file for changing and locks it. kBusy while another process writes to it or has it
  // locked. When something else has taken the file's place by then, that is what is taken.
  Result<void> take(const CancelToken* cancel);
  // What take(), and making a file beside it, would fail with, as far as it can be told without
  // disturbing anybody.
  [[nodiscard]] Result<void> could_take() const;

  // With every symbolic link resolved.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const files::Directory& directory() const { return *directory_; }
  // In the directory.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] io::File& file() { return file_; }
  [[nodiscard]] const io::File& file() const { return file_; }
  // As it was when the file was opened, or noted last.
  [[nodiscard]] const struct stat& status() const { return status_; }
  Result<void> note_status();
  // When it was last read by somebody else.
  [[nodiscard]] const struct timespec& accessed() const { return accessed_; }

  // Whether the file, and what its name leads to, is still as noted.
  [[nodiscard]] bool is_as_noted() const;
  // Whether no other process has it locked, at this moment.
  [[nodiscard]] bool is_free() const;
  // Takes away what runs that died have left of no use, unless another process is at work.
  void sweep() const;
  // Whether a journal that may be the file's lies beside it.
  [[nodiscard]] Result<bool> has_journal() const;

 private:
  // With or without the right to write.
  Result<io::File> open(int flags, const char* operation, io::Counters* counters,
                        const CancelToken* cancel) const;

  std::string given_;  // as the caller named it
  std::string path_;
  std::string name_;  // in the directory
  std::optional<files::Directory> directory_;
  io::File file_;
  struct stat status_ {};
  struct timespec accessed_ {};
};

}  // namespace shunt::faststart
