// A directory that is held open: the names in it lead to the same files, whatever becomes of the
// directory's own name. Where somebody else may rename directories or put links in their place, two
// calls with the same path may end in two different places; two calls with one Directory do not.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/fd.h"
#include "shunt/io/file.h"

namespace shunt::files {

// One owner; its const functions may be called from several threads. Names are single components,
// and what a symbolic link of that name leads to is never meant.
class Directory {
 public:
  // The one that `path`, a file's name, lies in. Takes the right to search it, and no other.
  static Result<Directory> holding(const std::string& path);
  // The one of that name itself, or that a link of that name leads to.
  static Result<Directory> open(const std::string& path);

  // The same directory once more, for another owner.
  [[nodiscard]] Result<Directory> again() const;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Result<struct stat> status() const;
  // All names in it, in no order, without "." and "..". Takes the right to list it.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  // A name in it, as messages call it.
  [[nodiscard]] std::string path_of(const std::string& name) const { return prefix_ + name; }

  // open(2) with O_CLOEXEC, O_NOFOLLOW and O_NONBLOCK besides `flags`, so that neither a link nor a
  // FIFO catches anybody; mode 0600 for what it makes.
  [[nodiscard]] Result<io::File> open(const std::string& name, int flags, const char* operation,
                                      io::Counters* counters = nullptr) const;
  // nullopt when there is nothing of that name.
  [[nodiscard]] Result<std::optional<struct stat>> look(const std::string& name) const;
  // Whether `name` is a name of `file`.
  [[nodiscard]] bool leads_to(const std::string& name, const io::File& file) const;

  // As their namesakes in path.h; sync() does without the right to list the names as well.
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
