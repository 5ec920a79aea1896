// A directory held open: names in it lead to the same files even if the directory is renamed. If
// somebody else may rename directories or replace them by links, two calls with the same path may
// end in different places; two calls with one Directory do not.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/fd.h"
#include "shunt/io/file.h"

namespace shunt::files {

// One owner; const functions are thread-safe. Names are single components; symbolic links are not
// followed.
class Directory {
 public:
  // Opens the directory of `path`, a file's name. Needs only permission to search it.
  static Result<Directory> holding(const std::string& path);
  // Opens the directory `path`; links are followed.
  static Result<Directory> open(const std::string& path);

  // Opens the same directory again, for another owner.
  [[nodiscard]] Result<Directory> again() const;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Result<struct stat> status() const;
  // Returns all names in it, unordered, without "." and "..". Needs permission to list it.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  // Returns the path of a name in it, for messages.
  [[nodiscard]] std::string path_of(const std::string& name) const { return prefix_ + name; }

  // open(2) with `flags` and O_CLOEXEC, O_NOFOLLOW and O_NONBLOCK, so that neither a link nor a
  // FIFO does harm. New files get mode 0600.
  [[nodiscard]] Result<io::File> open(const std::string& name, int flags, const char* operation,
                                      io::Counters* counters = nullptr) const;
  // Returns the status of `name` (lstat), or nullopt if it does not exist.
  [[nodiscard]] Result<std::optional<struct stat>> look(const std::string& name) const;
  // Returns true if `name` is a name of `file`.
  [[nodiscard]] bool leads_to(const std::string& name, const io::File& file) const;

  // Like the functions in path.h. sync() needs no permission to list the directory.
  Result<bool> remove_if_there(const std::string& name) const;
  Result<void> rename_over(const std::string& from, const std::string& to) const;
  Result<void> rename_no_replace(const std::string& from, const std::string& to) const;
  Result<void> sync() const;

 private:
  Directory(io::Fd fd, std::string prefix) : fd_(std::move(fd)), prefix_(std::move(prefix)) {}

  [[nodiscard]] Result<io::Fd> open_to_list() const;

  io::Fd fd_;  // O_PATH
  std::string prefix_;
};

}  // namespace shunt::files
