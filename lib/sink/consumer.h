// A command that takes the stream on its standard input, and never takes half of one for a whole
// one: it sees the end of its input only when the stream is whole. When the stream fails it is
// killed before. So it is when we are: a guard, a process of its own with a name of its own, sees
// to that, and besides the system kills the command itself.
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

// Holds the pipe open behind our back, and kills a process group when we die.
class Guard {
 public:
  // `pipe` is not owned. kLocalIo when there can be no such process.
  static Result<Guard> start(int pipe, int group);
  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&&) = delete;
  ~Guard();  // it is killed, and does nothing

 private:
  Guard(int pid, io::Fd lifeline) : pid_(pid), lifeline_(std::move(lifeline)) {}

  int pid_;
  io::Fd lifeline_;  // closed: we have died
};

// Run by "/bin/sh -c" in a process group of its own, all of which is killed (SIGKILL: whoever could
// heed or ignore another signal might see the end of a pipe first). What has left the group
// (setsid(1)) is not reached.
//
// For one thread, which outlives it. A thread of its own waits for the command to be stopped, and
// owns nothing: it kills the group, and notes why.
//
// It is not in the foreground of a terminal. When it reads from one all the same, or changes its
// settings, the system stops it, and nobody would let it go on: it is killed, and that is the
// error.
class Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> start(const std::string& command);
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;
  ~Consumer();  // as give_up()

  // The pipe to it. Closing it is no end yet.
  [[nodiscard]] Result<io::File> stream() const;

  // The stream is whole, and all who have written to stream() have closed it: the command sees its
  // end, and is waited for, however long it takes. kInterrupted, and it is killed, when `cancel`
  // is requested meanwhile. Another exit status than 0 is no error here.
  Result<ExitStatus> finish(const CancelToken& cancel);
  // The stream has failed. The status of a command that had ended by itself, or does so within
  // `milliseconds`; otherwise it is killed.
  std::optional<ExitStatus> give_up(int milliseconds = 0);
  // After finish() or give_up(): it was killed as it used a terminal.
  [[nodiscard]] std::optional<Error> used_terminal() const;

 private:
  Consumer(process::Process process, io::Fd pipe, Guard guard)
      : pipe_(std::move(pipe)), guard_(std::move(guard)), process_(std::move(process)) {}

  void watch(int command);
  void reap();
  std::optional<ExitStatus> take_status(bool kill_rest);

  // Destroyed in the opposite order: the command is dead before its pipe is closed.
  io::Fd pipe_;  // our own copy of the end that is written to
  std::optional<Guard> guard_;
  std::optional<process::Process> process_;  // empty: it has ended
  std::atomic<int> stopped_by_{0};           // the signal, when it used a terminal
  io::Thread watch_;                         // until the command has ended; before it is reaped
};

}  // namespace shunt::sink
