#include "output.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "exit_code.h"
#include "progress_line.h"
#include "report/json.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"
#include "signals.h"

namespace shunt::cli {

namespace {

using Json = Value;

std::atomic<bool> lost{false};

// Keeps "/", which is in every path.
std::string percent_encoded(std::string_view bytes) {
  return ascii::percent_encoded(bytes, "/");
}

bool is_bytes(const Json& value) {
  return value.is_string() && !is_utf8(value.get_ref<const std::string&>());
}

// Returns the companion of a text, or list of texts, that is not all UTF-8; null if it is.
Json bytes_of(const Json& value) {
  if (is_bytes(value)) return percent_encoded(value.get_ref<const std::string&>());
  if (!value.is_array() || !std::ranges::any_of(value, is_bytes)) return {};
  Json list = Json::array();
  for (const Json& one : value) {
    list.push_back(one.is_string() ? Json(percent_encoded(one.get_ref<const std::string&>()))
                                   : Json());
  }
  return list;
}

// JSON is UTF-8, but names are bytes: a NAME that is not UTF-8 is followed by NAME_bytes.
Json with_bytes(const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& one : value) list.push_back(with_bytes(one));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [name, member] : value.items()) {
    object[name] = with_bytes(member);
    if (Json bytes = bytes_of(member); !bytes.is_null()) {
      object[name + "_bytes"] = std::move(bytes);
    }
  }
  return object;
}

}  // namespace

bool output_was_lost() {
  return lost;
}

void print(Stream stream, std::string_view text) {
  const int fd = stream == Stream::kOut ? STDOUT_FILENO : STDERR_FILENO;
  const TerminalTurn turn;
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

void print_document(Stream stream, const Document& document) {
  print(stream,
        with_bytes(to_json(document)).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Value error_json(const Error& error) {
  Error without_path = error;
  without_path.path.clear();
  Value json = {{"code", exit_code_of(error.code, cancel_token())},
                {"message", without_path.describe()},
                {"path", error.path.empty() ? Value() : Value(error.path)}};
  if (!error.hint.empty()) json["hint"] = error.hint;
  if (error.offset) json["offset"] = *error.offset;
  return json;
}

Value error_json(const std::optional<Error>& error) {
  return error ? error_json(*error) : Value();
}

void add_outcome(Document& document, int code, const std::vector<std::optional<Error>>& inputs) {
  if (code == kDone) return;
  Value json;
  if (inputs.size() == 1 && inputs.front()) {
    json = error_json(*inputs.front());
  } else {
    const auto failed = std::ranges::count_if(
        inputs, [](const std::optional<Error>& error) { return error.has_value(); });
    json = {{"code", code},
            {"message", failed == 0 ? "interrupted after everything was done"
                                    : fmt::format("{} of {} failed", failed, inputs.size())},
            {"path", nullptr}};
  }
  json["code"] = code;
  document.whole.add({.name = "error", .value = std::move(json)});
}

void print_error(const Globals& globals, const Error& error, Stream json_stream) {
  if (globals.json) {
    Document document;
    document.whole.add({.name = "error", .value = error_json(error)});
    print_document(json_stream, document);
    return;
  }
  const bool color = globals.colored(STDERR_FILENO);
  std::string text = color ? "\033[1;31mshunt:\033[0m " : "shunt: ";
  text += line_of(error.describe());
  if (!error.hint.empty()) text += line_of("  " + error.hint);
  print(Stream::kErr, text);
}

}  // namespace shunt::cli
