// A child process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/fd.h"

namespace shunt::process {

// How a program ended, as in a shell: its exit status, or 128 + signal number.
using ExitStatus = int;

struct ProcessOptions {
  std::vector<std::string> arguments{};    // the first is the program, searched in $PATH
  std::vector<std::string> environment{};  // "NAME=VALUE"; empty: ours
  int input = -1;                          // its standard input; -1: ours
  int output = -1;                         // its standard output; -1: ours
  bool own_group = false;                  // signals also reach its children
  // Killed (SIGKILL) when the thread that starts it ends, hence also when this process dies. Its
  // children are not. The program must be a path.
  bool dies_with_us = false;
};

// The program starts with default signal handling, whatever this process has changed. The
// destructor kills a program that still runs. One thread.
class Process {
 public:
  static Result<Process> start(ProcessOptions options);
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        own_group_(other.own_group_),
        handle_(std::move(other.handle_)) {}
  Process& operator=(Process&&) = delete;
  ~Process();

  // Its process ID, with `own_group` also that of its group. Must not be called after it has ended.
  [[nodiscard]] pid_t id() const { return pid_; }
  // Waits for its end, at most `milliseconds`. Returns true once it has ended and wait() will
  // return its status. Until wait() does, its process ID is not reused.
  [[nodiscard]] bool has_ended(int milliseconds) const;
  // Waits for its end, at most `milliseconds`; nullopt: it still runs. Must not be called again
  // after it has returned a status.
  [[nodiscard]] Result<std::optional<ExitStatus>> wait(int milliseconds);
  // Does nothing once it has ended.
  void send(int signal) const;

 private:
  Process(pid_t pid, bool own_group);

  pid_t pid_;  // -1: it has ended
  bool own_group_;
  io::Fd handle_;  // pidfd_open(2); may be empty
};

}  // namespace shunt::process
