// A file that appears under its name only when it is whole and on disk.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"

namespace shunt::io {

enum class IfThere {
  kFail,     // a file of that name is left alone, and is an error
  kReplace,  // it is replaced in one step
};

// Written under a hidden name beside the target (companion ".shunt-new"); the name goes away with
// the object unless commit() was reached. A leftover of an earlier run that died is taken away
// first; it is known by an extended attribute, and where the name is somebody else's, that file is
// left alone and a name with a random part is used. The caller holds whatever lock keeps two
// writers of one target apart, or passes a name that no other process uses.
class NewFile {
 public:
  static Result<NewFile> create(const std::string& target, Counters* counters = nullptr);
  // Takes away what a run that died has left for `target`; what is in use, or not ours, stays.
  static Result<void> sweep(const std::string& target);
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  [[nodiscard]] File& file() { return file_; }

  // Syncs, closes, puts it under its name, and makes the name durable. When the last step fails the
  // new file stands under its name and the error says so.
  Result<void> commit(IfThere if_there);

 private:
  NewFile(File file, std::string temporary, std::string target)
      : file_(std::move(file)), temporary_(std::move(temporary)), target_(std::move(target)) {}

  File file_;
  std::string temporary_;  // empty once it is under its name
  std::string target_;
};

// The suffix of the hidden name.
inline constexpr const char* kNewFileSuffix = ".shunt-new";

}  // namespace shunt::io
