#include "output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/printable.h"
#include "exit_code.h"
#include "signals.h"

namespace shunt::cli {

namespace {

std::atomic<bool> lost{false};

}  // namespace

bool output_was_lost() {
  return lost;
}

void print(Stream stream, std::string_view text) {
  const int fd = stream == Stream::kOut ? STDOUT_FILENO : STDERR_FILENO;
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      if (stream == Stream::kOut && errno != EPIPE) lost = true;
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string line_of(std::string_view text, std::string_view paint) {
  return fmt::format("{}{}{}\n", paint, printable(text), paint.empty() ? "" : "\033[0m");
}

void print_line(Stream stream, std::string_view text) {
  print(stream, line_of(text));
}

void print_json(Stream stream, const nlohmann::ordered_json& document) {
  // Paths are bytes; what is no UTF-8 in them is replaced.
  print(stream,
        document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

nlohmann::ordered_json error_json(const Error& error) {
  Error without_path = error;
  without_path.path.clear();
  nlohmann::ordered_json json = {{"code", exit_code_of(error.code, cancel_token())},
                                 {"message", without_path.describe()},
                                 {"path", text_or_null(error.path)}};
  if (!error.hint.empty()) json["hint"] = error.hint;
  if (error.offset) json["offset"] = *error.offset;
  return json;
}

nlohmann::ordered_json error_json(const std::optional<Error>& error) {
  return error ? error_json(*error) : nlohmann::ordered_json();
}

nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

void print_error(const Globals& globals, const Error& error, Stream json_stream) {
  if (globals.json) {
    print_json(json_stream, {{"schema_version", kSchemaVersion}, {"error", error_json(error)}});
    return;
  }
  const bool color = globals.colored(STDERR_FILENO);
  std::string text = color ? "\033[1;31mshunt:\033[0m " : "shunt: ";
  text += line_of(error.describe());
  if (!error.hint.empty()) text += line_of("  " + error.hint);
  print(Stream::kErr, text);
}

}  // namespace shunt::cli
