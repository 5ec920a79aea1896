// A command that reads the stream on its standard input. It sees the end of its input only if the
// stream is complete; if the stream fails, it is killed first. If this process dies, a guard (a
// separate process with its own name) kills it, and the kernel kills the command's shell itself.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/fd.h"
#include "shunt/io/file.h"
#include "shunt/io/thread.h"
#include "shunt/process/process.h"

namespace shunt::sink {

using process::ExitStatus;

// A process that holds the pipe open and kills a process group when this process dies.
class Guard {
 public:
  // `pipe` is not owned. Returns kLocalIo if the process cannot be started.
  static Result<Guard> start(int pipe, int group);
  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&&) = delete;
  ~Guard();  // kills the guard; the group is left alone

 private:
  Guard(int pid, io::Fd lifeline) : pid_(pid), lifeline_(std::move(lifeline)) {}

  int pid_;
  io::Fd lifeline_;  // the guard acts when this is closed, which happens when we die
};

// Runs a command by "/bin/sh -c" in its own process group, all of which is killed if the stream
// fails. The signal is SIGKILL: a process that handled or ignored another one could see the end of
// the pipe first. Processes that left the group (setsid(1)) are not reached.
//
// One thread uses it, which outlives the object. The object's own thread waits for the command to
// be stopped, then kills the group and notes why; it owns nothing.
//
// The command runs in the background. If it reads from a terminal or changes its settings, the
// kernel stops it, and nothing would continue it; it is then killed, and used_terminal() returns
// the error.
class Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> start(const std::string& command);
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer();  // same as give_up()

  // The pipe to the command. Closing it does not yet end the command's input.
  [[nodiscard]] Result<io::File> stream() const;

  // Call when the stream is complete and every writer has closed stream(). The command sees the end
  // of its input and is waited for, however long it takes. Returns kInterrupted, and kills the
  // command, if `cancel` is requested meanwhile. An exit status other than 0 is not an error here.
  Result<ExitStatus> finish(const CancelToken& cancel);
  // Call when the stream has failed. Returns the status of a command that has ended or does so
  // within `milliseconds`; otherwise kills it and returns nullopt.
  std::optional<ExitStatus> give_up(int milliseconds = 0);
  // After finish() or give_up(): the error if it was killed because it used a terminal.
  [[nodiscard]] std::optional<Error> used_terminal() const;

 private:
  Consumer(process::Process process, io::Fd pipe, Guard guard)
      : pipe_(std::move(pipe)), guard_(std::move(guard)), process_(std::move(process)) {}

  void watch(int command);
  void reap();
  std::optional<ExitStatus> take_status(bool kill_rest);

  // Destroyed in reverse order: the command is dead before its pipe is closed.
  io::Fd pipe_;  // our copy of the write end
  std::optional<Guard> guard_;
  std::optional<process::Process> process_;  // empty once it has ended
  std::atomic<int> stopped_by_{0};  // signal that stopped it when it used a terminal; 0: none
  io::Thread watch_;                // runs until the command has ended and before it is reaped
};

}  // namespace shunt::sink
