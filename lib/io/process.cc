#include "io/process.h"

#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace shunt::io {
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

  // Signals: none blocked, and SIGPIPE, which is ignored here, as it is at first.
  void begin_afresh(bool own_group) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    ::sigaddset(&signals, SIGPIPE);
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

// Where SIGCHLD is ignored, which is inherited, children leave no status behind.
void heed_children() {
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

}  // namespace

Result<Process> Process::start(ProcessOptions options) {
  SpawnSettings settings;
  settings.begin_afresh(options.own_group);
  settings.replace(STDIN_FILENO, options.input);
  settings.replace(STDOUT_FILENO, options.output);
  heed_children();
  const std::string program = options.arguments.front();
  const std::vector<char*> arguments = pointers_to(options.arguments);
  const std::vector<char*> own = pointers_to(options.environment);
  pid_t pid = -1;
  const int failed =
      ::posix_spawnp(&pid, program.c_str(), &settings.actions, &settings.attributes,
                     arguments.data(), options.environment.empty() ? environ : own.data());
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

Result<std::optional<ExitStatus>> Process::wait(int milliseconds) {
  // Without a handle this is a pause, and the end is seen after it.
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

}  // namespace shunt::io
