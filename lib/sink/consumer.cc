#include "shunt/sink/consumer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "shunt/io/pipe.h"
#include "shunt/process/process_name.h"

namespace shunt::sink {
namespace {

constexpr int kAskAgain = 100;  // ms
// A name of its own: killall with our name must not hit the guard, which has work to do then.
constexpr const char* kGuardName = "stream-guard";

// Runs the guard, in a forked process without other threads: only calls allowed by
// signal-safety(7). Keeps only these two descriptors open.
[[noreturn]] void guard_until_the_end(int lifeline, int pipe, int group,
                                      const process::ProcessName& name) {
  name.replace(kGuardName);
  // Ignores signals from the terminal or to our group.
  (void)::setpgid(0, 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) ::signal(signal, SIG_IGN);
  const unsigned first = static_cast<unsigned>(lifeline < pipe ? lifeline : pipe);
  const unsigned second = static_cast<unsigned>(lifeline < pipe ? pipe : lifeline);
  if (first > 0) ::syscall(SYS_close_range, 0U, first - 1, 0);
  if (second > first + 1) ::syscall(SYS_close_range, first + 1, second - 1, 0);
  ::syscall(SYS_close_range, second + 1, ~0U, 0);
  char word = 0;
  ssize_t got = 0;
  do {
    got = ::read(lifeline, &word, 1);
  } while (got < 0 && errno == EINTR);
  ::kill(-group, SIGKILL);
  ::_exit(0);
}

}  // namespace

Result<Guard> Guard::start(int pipe, int group) {
  SHUNT_ASSIGN(io::Pipe lifeline, io::make_pipe());
  const process::ProcessName name;
  const pid_t pid = ::fork();
  if (pid < 0) return system_error(errno, "", "start the guard of a command");
  if (pid == 0) {
    (void)::close(lifeline.writer.get());
    guard_until_the_end(lifeline.reader.get(), pipe, group, name);
  }
  return Guard(pid, std::move(lifeline.writer));
}

Guard::Guard(Guard&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), lifeline_(std::move(other.lifeline_)) {}

// SIGKILL, since it may have been stopped.
Guard::~Guard() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<std::unique_ptr<Consumer>> Consumer::start(const std::string& command) {
  SHUNT_ASSIGN(io::Pipe pipe, io::make_pipe());
  SHUNT_ASSIGN(process::Process process,
               process::Process::start({.arguments = {"/bin/sh", "-c", command},
                                        .input = pipe.reader.get(),
                                        .own_group = true,
                                        .dies_with_us = true}));
  SHUNT_ASSIGN(Guard guard, Guard::start(pipe.writer.get(), process.id()));
  const pid_t group = process.id();
  std::unique_ptr<Consumer> consumer(
      new Consumer(std::move(process), std::move(pipe.writer), std::move(guard)));
  Consumer* const self = consumer.get();
  SHUNT_ASSIGN(consumer->watch_, io::Thread::start([self, group]() -> Result<void> {
                 self->watch(group);
                 return {};
               }));
  return consumer;
}

Consumer::~Consumer() {
  (void)give_up();
}

Result<io::File> Consumer::stream() const {
  io::Fd copy(::fcntl(pipe_.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy.valid()) return system_error(errno, "", "make a pipe");
  return io::File::adopt(std::move(copy), "(the command of --to)");
}

// Stops the whole group, including the command, whichever process uses the terminal.
void Consumer::watch(int command) {
  const auto id = static_cast<id_t>(command);
  while (true) {
    siginfo_t info{};
    if (::waitid(P_PID, id, &info, WEXITED | WSTOPPED | WNOWAIT) != 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (info.si_code != CLD_STOPPED) return;  // it has ended
    if (info.si_status == SIGTTIN || info.si_status == SIGTTOU) {
      stopped_by_ = info.si_status;
      ::kill(-command, SIGKILL);
      return;
    }
    // If something else has stopped it, that may also continue it.
    (void)::waitid(P_PID, id, &info, WSTOPPED | WNOHANG);
  }
}

std::optional<Error> Consumer::used_terminal() const {
  if (stopped_by_ == 0) return std::nullopt;
  Error error;
  error.reason = fmt::format(
      "the command of --to {} the terminal, and is not in its foreground (SIG{})",
      stopped_by_ == SIGTTIN ? "reads from" : "changes", stopped_by_ == SIGTTIN ? "TTIN" : "TTOU");
  error.hint = "it has to get its input elsewhere, such as from a file or the environment";
  return error;
}

// Kills what still runs; the process ID stays reserved until watch_ has ended.
void Consumer::reap() {
  if (process_) process_->send(SIGKILL);
  (void)watch_.join();
  process_.reset();
}

// Of a command that has ended. Kills its group first, while the process ID is still reserved.
std::optional<ExitStatus> Consumer::take_status(bool kill_rest) {
  if (kill_rest) process_->send(SIGKILL);
  (void)watch_.join();
  const Result<std::optional<ExitStatus>> status = process_->wait(0);
  process_.reset();
  return status && stopped_by_ == 0 ? *status : std::nullopt;
}

Result<ExitStatus> Consumer::finish(const CancelToken& cancel) {
  const int told = cancel.requests();
  guard_.reset();
  pipe_ = io::Fd();
  while (!process_->has_ended(kAskAgain)) {
    if (cancel.requests() == told) continue;
    reap();
    return cancel.check().error();
  }
  if (const std::optional<ExitStatus> status = take_status(false)) return *status;
  if (std::optional<Error> error = used_terminal()) return *std::move(error);
  Error error;
  error.reason = "the command of --to has left no status";
  return error;
}

std::optional<ExitStatus> Consumer::give_up(int milliseconds) {
  if (!process_) return std::nullopt;
  std::optional<ExitStatus> status;
  if (process_->has_ended(milliseconds)) status = take_status(true);
  reap();
  guard_.reset();
  pipe_ = io::Fd();
  return status;
}

}  // namespace shunt::sink
