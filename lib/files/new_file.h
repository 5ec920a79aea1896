// A file that appears under its name only when it is whole and on disk.
#pragma once

#include <functional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/files/attributes.h"
#include "shunt/files/directory.h"
#include "shunt/files/path.h"
#include "shunt/io/file.h"

namespace shunt::files {

enum class IfThere {
  kFail,     // a file of that name is left alone, and is an error
  kReplace,  // it is replaced in one step
};

// Written under a hidden name beside the target (companion ".shunt-new"); the name goes away with
// the object unless commit() was reached. A leftover of an earlier run that died is taken away
// first; it is known by an extended attribute. Where the name is somebody else's, or what has it
// may not be removed (another user's leftover in a directory with the sticky bit), that file is
// left alone and a name with a random part is used. The directory is held open from the start: the
// new file gets its name in that one. The caller holds whatever lock keeps two writers of one
// target apart, or passes a name that no other process uses.
class NewFile {
 public:
  static Result<NewFile> create(const std::string& target, io::Counters* counters = nullptr);
  // The same for `name` in a directory that the caller holds open, wherever its own name leads now.
  static Result<NewFile> create(const Directory& directory, const std::string& name,
                                io::Counters* counters = nullptr);
  // The directory of `target`; what create() would fail with when there is none.
  static Result<Directory> place_of(const std::string& target);
  // Takes away what a run that died has left for `name`, if it may; what is in use, or not ours,
  // stays.
  static Result<void> sweep(const Directory& directory, const std::string& name);
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  // What it is called in messages is the target's name, which is the one that people know.
  [[nodiscard]] io::File& file() { return file_; }
  // Whether it has that name already, which commit() may have given it before it failed.
  [[nodiscard]] bool is_named() const { return temporary_.empty(); }
  // Where the target's name is, for a last look at what has it.
  [[nodiscard]] const Directory& directory() const { return directory_; }

  // While it is empty: gives it the owner, mode and so on of the file that it will replace, or the
  // mode that the user's mask allows when there is none (see inherit_attributes).
  Result<void> inherit() { return inherit_attributes(file_, directory_, file_name(target_)); }

  // Syncs, closes, puts it under its name, and makes the name durable. When the last step fails the
  // new file stands under its name and the error says so. `last_look`, where there is one, is asked
  // when all is on disk and nothing but the rename is left; its error ends the matter.
  Result<void> commit(IfThere if_there, const std::function<Result<void>()>& last_look = nullptr);

 private:
  static Result<NewFile> create_in(Directory directory, const std::string& target,
                                   io::Counters* counters);
  NewFile(Directory directory, io::File file, std::string temporary, std::string target)
      : directory_(std::move(directory)),
        file_(std::move(file)),
        temporary_(std::move(temporary)),
        target_(std::move(target)) {
    file_.set_path(target_);
  }

  Directory directory_;
  io::File file_;
  std::string temporary_;  // its name in the directory; empty once it has the target's
  std::string target_;
};

// The suffix of the hidden name.
inline constexpr const char* kNewFileSuffix = ".shunt-new";

}  // namespace shunt::files
