// A command that runs beside us.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/fd.h"

namespace shunt::sink {

// How a command ended, as a shell says it: its exit status, or 128 and the number of the signal.
using ExitStatus = int;

enum class ChildOutput {
  kAsOurs,
  kToStandardError,  // our standard output carries data
};

// Run by "/bin/sh -c", in a process group of its own, so that signals reach all that it has
// started, a pipeline for one. But not where a terminal would then stop it: when we are in the
// foreground of one, the command stays there with us. It can be typed to, and what is typed to
// interrupt reaches all; other signals reach the shell alone. One that still runs when the object
// goes away is killed.
class Child {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  static Result<Child> start(const std::string& command, const Variables& variables,
                             ChildOutput output);
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        group_(other.group_),
        handle_(std::move(other.handle_)) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  // Waits for its end, at most `milliseconds`; nullopt: it runs.
  [[nodiscard]] Result<std::optional<ExitStatus>> wait(int milliseconds);
  // To the command and what it has started; to nobody once the command has ended.
  void send(int signal) const;

 private:
  enum class Group { kOwn, kOurs };
  Child(pid_t pid, Group group, io::Fd handle)
      : pid_(pid), group_(group), handle_(std::move(handle)) {}
  static Group where_to_run();

  pid_t pid_;  // -1: it has ended
  Group group_;
  io::Fd handle_;  // pidfd_open(2)
};

}  // namespace shunt::sink
