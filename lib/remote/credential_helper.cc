#include "remote/credential_helper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "io/fd.h"
#include "remote/json_text.h"
#include "remote/printable.h"

namespace shunt::remote {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxOutput = std::size_t{64} << 10;
// Below what every pipe holds, so that writing never waits for the program.
constexpr std::size_t kMaxInput = 4096;
constexpr std::chrono::milliseconds kPollInterval{50};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Error failure(const std::string& program, std::string reason) {
  Error error;
  error.path = program;
  error.operation = "get credentials";
  error.reason = std::move(reason);
  return error;
}

struct Pipe {
  io::Fd read;
  io::Fd write;
};

Result<Pipe> make_pipe(const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, program, "pipe");
  return Pipe{io::Fd(ends[0]), io::Fd(ends[1])};
}

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

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// The program under way. Destroying it ends it.
class Child {
 public:
  static Result<Child> start(const std::string& program, int input, int output) {
    SpawnSettings settings;
    ::posix_spawn_file_actions_adddup2(&settings.actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&settings.actions, output, STDOUT_FILENO);
    // Signals as a program expects them, whatever this one has made of them.
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&settings.attributes, &signals);
    ::sigaddset(&signals, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&settings.attributes, &signals);
    ::posix_spawnattr_setflags(&settings.attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name = program;
    std::string verb = "get";
    char* const arguments[] = {name.data(), verb.data(), nullptr};
    pid_t pid = -1;
    const int problem = ::posix_spawnp(&pid, program.c_str(), &settings.actions,
                                       &settings.attributes, arguments, environ);
    if (problem != 0) {
      Error error = system_error(problem, program, "run");
      error.code = ErrorCode::kFailed;
      return error;
    }
    return Child(pid);
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  // Its wait status, once it has ended.
  [[nodiscard]] std::optional<int> ended() {
    int status = 0;
    const pid_t found = ::waitpid(pid_, &status, WNOHANG);
    if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
    pid_ = -1;
    return found < 0 ? -1 : status;
  }

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

struct Deadline {
  Clock::time_point at;
  const CancelToken* cancel;

  [[nodiscard]] Result<void> check(const std::string& program) const {
    if (cancel != nullptr) SHUNT_TRY(cancel->check());
    if (Clock::now() >= at) return failure(program, "it takes too long");
    return {};
  }
};

Result<std::string> read_all(const std::string& program, int fd, const Deadline& deadline) {
  std::string text;
  for (;;) {
    SHUNT_TRY(deadline.check(program));
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(kPollInterval.count())) <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, program, "read");
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxOutput) return failure(program, "it says too much");
  }
}

struct Outcome {
  int status = 0;  // of waitpid
  std::string output;
};

Result<Outcome> run(const std::string& program, const std::string& input,
                    const Deadline& deadline) {
  SHUNT_ASSIGN(Pipe in, make_pipe(program));
  SHUNT_ASSIGN(Pipe out, make_pipe(program));
  // While both ends are here: it fits, and nobody can have closed the other end.
  if (::write(in.write.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    return system_error(errno, program, "write");
  }
  in.write.reset();
  SHUNT_ASSIGN(Child child, Child::start(program, in.read.get(), out.write.get()));
  in.read.reset();
  out.write.reset();
  Outcome outcome;
  SHUNT_ASSIGN(outcome.output, read_all(program, out.read.get(), deadline));
  for (;;) {
    if (const auto status = child.ended()) {
      outcome.status = *status;
      return outcome;
    }
    SHUNT_TRY(deadline.check(program));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(const std::string& name,
                                                         const std::string& server,
                                                         const CancelToken* cancel,
                                                         std::chrono::milliseconds timeout) {
  const std::string program = "docker-credential-" + name;
  if (!is_name(name) || server.size() > kMaxInput) {
    Error error = failure(printable(program), "this is no name of a credential helper");
    error.code = ErrorCode::kUsage;
    return error;
  }
  const Deadline deadline{Clock::now() + timeout, cancel};
  SHUNT_ASSIGN(const Outcome outcome, run(program, server, deadline));
  if (outcome.status != 0) {
    if (outcome.output.find("credentials not found") != std::string::npos) {
      return std::optional<Credentials>();
    }
    return failure(program, outcome.output.empty() ? "it failed" : printable(outcome.output));
  }
  const auto answer = parse_json(outcome.output);
  if (!answer || !answer->is_object()) return failure(program, "its answer is no JSON object");
  const auto username = text_member(*answer, "Username");
  const auto secret = text_member(*answer, "Secret");
  if (!username || !secret) return failure(program, "its answer holds no credentials");
  Credentials credentials;
  if (*username == "<token>") {
    credentials.identity_token = *secret;
  } else {
    credentials.username = *username;
    credentials.password = *secret;
  }
  if (credentials.empty()) return std::optional<Credentials>();
  return std::optional<Credentials>(std::move(credentials));
}

}  // namespace shunt::remote
