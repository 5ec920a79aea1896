// A new file that appears under its name only when it is complete and durable.
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
  kFail,     // an existing file is left alone, and is an error
  kReplace,  // an existing file is replaced atomically
};

// Written under a hidden name beside the target (companion ".shunt-new"), which is removed with the
// object unless commit() succeeded. A leftover of a run that died, recognised by an extended
// attribute, is removed first. If the hidden name belongs to somebody else or cannot be removed
// (another user's leftover in a directory with the sticky bit), it is left alone and a random name
// is used. The directory is held open from the start, and the new file gets its name in it. The
// caller holds a lock that excludes other writers of the target, or passes a name that no other
// process uses.
class NewFile {
 public:
  static Result<NewFile> create(const std::string& target, io::Counters* counters = nullptr);
  // Same, for `name` in an open directory, wherever the directory's own name leads now.
  static Result<NewFile> create(const Directory& directory, const std::string& name,
                                io::Counters* counters = nullptr);
  // Opens the directory of `target`; returns the error that create() would if there is none.
  static Result<Directory> place_of(const std::string& target);
  // Removes the leftover of a run that died for `name`, if permitted. Files that are in use or not
  // ours stay.
  static Result<void> sweep(const Directory& directory, const std::string& name);
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  // The file. Messages call it by the target's name.
  [[nodiscard]] io::File& file() { return file_; }
  // True if it already has the target's name; a failed commit() may have got that far.
  [[nodiscard]] bool is_named() const { return temporary_.empty(); }
  // The directory of the target, for a last look at the existing file.
  [[nodiscard]] const Directory& directory() const { return directory_; }

  // Gives the empty file the owner, mode and so on of the file that it will replace, or the default
  // mode if there is none (inherit_attributes).
  Result<void> inherit() { return inherit_attributes(file_, directory_, file_name(target_)); }

  // Syncs, closes, renames to the target's name, and makes the name durable. If the last step fails
  // the file has its name and the error says so. `last_look`, if any, is called when everything is
  // on disk and only the rename is left; its error ends the commit.
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
  std::string temporary_;  // name in the directory; empty once renamed
  std::string target_;
};

// The suffix of the hidden name.
inline constexpr const char* kNewFileSuffix = ".shunt-new";

}  // namespace shunt::files
