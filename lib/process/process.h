// A program that runs beside us.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/fd.h"

namespace shunt::process {

// How a program ended, as a shell says it: its exit status, or 128 and the number of the signal.
using ExitStatus = int;

struct ProcessOptions {
  std::vector<std::string> arguments{};    // the first is the program, looked for in $PATH
  std::vector<std::string> environment{};  // "NAME=VALUE"; empty: ours
  int input = -1;                          // what it gets as standard input; -1: ours
  int output = -1;                         // and as standard output
  bool own_group = false;                  // signals are for all that it has started, too
  // Killed (SIGKILL) when the thread that starts it ends, and so when we do, whatever ends us. What
  // it has started is not. The program is a path then.
  bool dies_with_us = false;
};

// It has the signals that a program expects, whatever this one has made of them. One that still
// runs when the object goes away is killed. For one thread.
class Process {
 public:
  static Result<Process> start(ProcessOptions options);
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        own_group_(other.own_group_),
        handle_(std::move(other.handle_)) {}
  Process& operator=(Process&&) = delete;
  ~Process();

  // Its number, and with `own_group` that of its group. Not to be asked after the end.
  [[nodiscard]] pid_t id() const { return pid_; }
  // Waits for its end, at most `milliseconds`; true: it has ended, and wait() will tell how.
  // Until then its number, and that of its group, is nobody else's.
  [[nodiscard]] bool has_ended(int milliseconds) const;
  // Waits for its end, at most `milliseconds`; nullopt: it runs. Not to be called after the end.
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
