#include "shunt/oci/credential_helper.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "shunt/io/pipe.h"
#include "shunt/oci/json_text.h"
#include "shunt/process/process.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxOutput = std::size_t{64} << 10;
// Fits into any pipe, so that writing never blocks.
constexpr std::size_t kMaxInput = 4096;
constexpr int kAskAgain = 50;  // ms

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, [](char c) {
    return ascii::is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  });
}

Error failure(const std::string& program, std::string reason) {
  Error error;
  error.path = program;
  error.operation = "get credentials";
  error.reason = std::move(reason);
  return error;
}

struct Deadline {
  Clock::time_point at;
  const CancelToken* cancel;

  [[nodiscard]] Result<void> check(const std::string& program) const {
    SHUNT_TRY(check_cancel(cancel));
    if (Clock::now() >= at) return failure(program, "it takes too long to answer");
    return {};
  }
};

Result<std::string> read_all(const std::string& program, int fd, const Deadline& deadline) {
  std::string text;
  for (;;) {
    SHUNT_TRY(deadline.check(program));
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, kAskAgain) <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, program, "read");
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxOutput) return failure(program, "its output is too long");
  }
}

struct Outcome {
  process::ExitStatus status = 0;
  std::string output;
};

Result<Outcome> run(const std::string& program, const std::string& input,
                    const Deadline& deadline) {
  SHUNT_ASSIGN(io::Pipe in, io::make_pipe());
  SHUNT_ASSIGN(io::Pipe out, io::make_pipe());
  // Written while both ends are open here: it fits, and the other end cannot be closed.
  if (::write(in.writer.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
    return system_error(errno, program, "write");
  }
  in.writer.reset();
  Result<process::Process> process = process::Process::start(
      {.arguments = {program, "get"}, .input = in.reader.get(), .output = out.writer.get()});
  if (!process) {
    Error error = process.error();
    error.code = ErrorCode::kFailed;
    return error;
  }
  in.reader.reset();
  out.writer.reset();
  Outcome outcome;
  SHUNT_ASSIGN(outcome.output, read_all(program, out.reader.get(), deadline));
  for (;;) {
    SHUNT_TRY(deadline.check(program));
    SHUNT_ASSIGN(const auto status, process->wait(kAskAgain));
    if (!status) continue;
    outcome.status = *status;
    return outcome;
  }
}

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(const std::string& name,
                                                         const std::string& server,
                                                         const CancelToken* cancel,
                                                         std::chrono::milliseconds timeout) {
  const std::string program = "docker-credential-" + name;
  if (!is_name(name) || server.size() > kMaxInput) {
    Error error = failure(one_line(program), "not a valid name of a credential helper");
    error.code = ErrorCode::kUsage;
    return error;
  }
  const Deadline deadline{Clock::now() + timeout, cancel};
  SHUNT_ASSIGN(const Outcome outcome, run(program, server, deadline));
  if (outcome.status != 0) {
    if (outcome.output.find("credentials not found") != std::string::npos) {
      return std::optional<Credentials>();
    }
    return failure(program, outcome.output.empty() ? "it failed" : one_line(outcome.output));
  }
  const auto answer = parse_json(outcome.output);
  if (!answer || !answer->is_object()) return failure(program, "its answer is not a JSON object");
  const auto username = text_member(*answer, "Username");
  const auto secret = text_member(*answer, "Secret");
  if (!username || !secret) return failure(program, "its answer contains no credentials");
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

}  // namespace shunt::oci
