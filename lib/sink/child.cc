#include "sink/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

extern "C" char** environ;  // NOLINT(readability-redundant-declaration): glibc needs a macro for it

namespace shunt::sink {
namespace {

// Our environment, with `variables` in place of those of the same names.
std::vector<std::string> environment_with(const Child::Variables& variables) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::string name = text.substr(0, text.find('='));
    if (std::ranges::none_of(variables, [&](const auto& own) { return own.first == name; })) {
      all.push_back(text);
    }
  }
  for (const auto& [name, value] : variables) {
    all.push_back(name);
    all.back().append("=").append(value);
  }
  return all;
}

struct Actions {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  Actions() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

Result<Child> Child::start(const std::string& command, const Variables& variables,
                           ChildOutput output) {
  Actions actions;
  if (output == ChildOutput::kToStandardError) {
    ::posix_spawn_file_actions_adddup2(&actions.files, STDERR_FILENO, STDOUT_FILENO);
  }
  // What is ignored here would be ignored there too.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&actions.attributes, &defaults);
  const Group group = where_to_run();
  ::posix_spawnattr_setpgroup(&actions.attributes, 0);
  ::posix_spawnattr_setflags(
      &actions.attributes, static_cast<short>(POSIX_SPAWN_SETSIGDEF |
                                              (group == Group::kOwn ? POSIX_SPAWN_SETPGROUP : 0)));
  // Where it is ignored, which is inherited, children leave no status behind.
  ::signal(SIGCHLD, SIG_DFL);

  std::vector<std::string> environment = environment_with(variables);
  std::vector<char*> entries;
  for (std::string& entry : environment) entries.push_back(entry.data());
  entries.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::string option = "-c";
  std::string text = command;
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, shell.c_str(), &actions.files, &actions.attributes,
                                   arguments, entries.data());
  if (failed != 0) return system_error(failed, shell, "start");
  io::Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int number = errno;
  Child child(pid, group, std::move(handle));
  if (!child.handle_.valid()) return system_error(number, shell, "watch");
  return child;
}

Child::Group Child::where_to_run() {
  const io::Fd terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return terminal.valid() && ::tcgetpgrp(terminal.get()) == ::getpgrp() ? Group::kOurs
                                                                        : Group::kOwn;
}

Child::~Child() {
  if (pid_ < 0) return;
  send(SIGKILL);
  int ignored = 0;
  while (::waitpid(pid_, &ignored, 0) < 0 && errno == EINTR) {
  }
}

void Child::send(int signal) const {
  if (pid_ >= 0) ::kill(group_ == Group::kOwn ? -pid_ : pid_, signal);
}

Result<std::optional<ExitStatus>> Child::wait(int milliseconds) {
  pollfd ended{handle_.get(), POLLIN, 0};
  if (::poll(&ended, 1, milliseconds) <= 0) return std::optional<ExitStatus>();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return system_error(errno, "", "wait for the command");
  }
  pid_ = -1;
  return std::optional<ExitStatus>(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                                       : WEXITSTATUS(status));
}

}  // namespace shunt::sink
