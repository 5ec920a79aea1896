#include "shunt/process/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "shunt/io/pipe.h"
#include "shunt/process/signals.h"

namespace shunt::process {
namespace {

struct SpawnSettings {
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // Unblocks all signals, and resets those that are ignored here.
  void reset_signals(bool own_group) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : kSelfInflicted) ::sigaddset(&signals, signal);
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes,
                               static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  (own_group ? POSIX_SPAWN_SETPGROUP : 0)));
  }
  void replace(int descriptor, int by) {
    if (by >= 0) ::posix_spawn_file_actions_adddup2(&actions, by, descriptor);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// If SIGCHLD is ignored, which is inherited, children leave no status.
void make_children_waitable() {
  struct sigaction now {};
  if (::sigaction(SIGCHLD, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) {
    ::signal(SIGCHLD, SIG_DFL);
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void become(int descriptor, int by) {
  if (by < 0) return;
  if (by == descriptor) {
    (void)::fcntl(by, F_SETFD, 0);
  } else {
    (void)::dup2(by, descriptor);
  }
}

// Runs in the child, which has no other threads: only what signal-safety(7) allows. Returns the
// errno of a failure.
int execute_tied(const ProcessOptions& options, pid_t parent, char* const* arguments,
                 char* const* environment) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  if (::getppid() != parent) ::_exit(127);  // the parent died before prctl(2)
  if (options.own_group && ::setpgid(0, 0) != 0) return errno;
  become(STDIN_FILENO, options.input);
  become(STDOUT_FILENO, options.output);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler == SIG_IGN) continue;
    ::signal(signal, SIG_DFL);
  }
  for (const int signal : kSelfInflicted) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  return errno;
}

// Like posix_spawn(3), but with PR_SET_PDEATHSIG.
int spawn_tied(const ProcessOptions& options, char* const* arguments, char* const* environment,
               pid_t& pid) {
  Result<io::Pipe> word = io::make_pipe();  // carries the errno of a failure
  if (!word) return word.error().system_errno;
  const pid_t parent = ::getpid();
  // Our signal handlers must not run in the child.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pid = ::fork();
  int failed = pid < 0 ? errno : 0;
  if (pid == 0) {
    failed = execute_tied(options, parent, arguments, environment);
    (void)!::write(word->writer.get(), &failed, sizeof failed);
    ::_exit(127);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return failed;
  word->writer.reset();
  ssize_t got = 0;
  do {
    got = ::read(word->reader.get(), &failed, sizeof failed);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof failed) return 0;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return failed;
}

}  // namespace

Result<Process> Process::start(ProcessOptions options) {
  SpawnSettings settings;
  settings.reset_signals(options.own_group);
  settings.replace(STDIN_FILENO, options.input);
  settings.replace(STDOUT_FILENO, options.output);
  make_children_waitable();
  const std::string program = options.arguments.front();
  const std::vector<char*> arguments = pointers_to(options.arguments);
  const std::vector<char*> own = pointers_to(options.environment);
  char* const* const environment = options.environment.empty() ? environ : own.data();
  pid_t pid = -1;
  const int failed = options.dies_with_us
                         ? spawn_tied(options, arguments.data(), environment, pid)
                         : ::posix_spawnp(&pid, program.c_str(), &settings.actions,
                                          &settings.attributes, arguments.data(), environment);
  if (failed != 0) return system_error(failed, program, "start");
  return Process(pid, options.own_group);
}

Process::Process(pid_t pid, bool own_group)
    : pid_(pid),
      own_group_(own_group),
      handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

Process::~Process() {
  if (pid_ < 0) return;
  send(SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Process::send(int signal) const {
  if (pid_ >= 0) ::kill(own_group_ ? -pid_ : pid_, signal);
}

bool Process::has_ended(int milliseconds) const {
  pollfd ended{handle_.get(), POLLIN, 0};
  (void)::poll(&ended, 1, milliseconds);
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

Result<std::optional<ExitStatus>> Process::wait(int milliseconds) {
  // Without a pidfd this is a pause, and the end is noticed after it.
  pollfd ended{handle_.get(), POLLIN, 0};
  (void)::poll(&ended, 1, milliseconds);
  int status = 0;
  const pid_t found = ::waitpid(pid_, &status, WNOHANG);
  if (found == 0 || (found < 0 && errno == EINTR)) return std::optional<ExitStatus>();
  if (found < 0) return system_error(errno, "", "wait for the program");
  pid_ = -1;
  return std::optional<ExitStatus>(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                                       : WEXITSTATUS(status));
}

}  // namespace shunt::process
