// Where text and JSON go, and how an error looks in either.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "globals.h"

namespace shunt::cli {

enum class Stream { kOut, kErr };

// Writes all of `text`, as it is; a closed pipe is no failure here, since nothing but words is
// lost.
void print(Stream stream, std::string_view text);
// A line for people, with its end, that shows names as they may be shown (base/printable.h): all
// text that may have some in it goes through here. `paint` is a sequence for the terminal that
// colours it, or empty.
[[nodiscard]] std::string line_of(std::string_view text, std::string_view paint = {});
void print_line(Stream stream, std::string_view text);
// Whether something for standard output could not be written; a reader that has gone does not
// count.
[[nodiscard]] bool output_was_lost();

// One JSON document and a newline. Texts in it may be any bytes: beside one that is no UTF-8 stands
// NAME_bytes, percent-encoded.
void print_json(Stream stream, const nlohmann::ordered_json& document);

// The error object of the contract: code (the exit code), message, path; hint and offset if any.
[[nodiscard]] nlohmann::ordered_json error_json(const Error& error);
// The same, or null.
[[nodiscard]] nlohmann::ordered_json error_json(const std::optional<Error>& error);

// Adds `error` to the document of several inputs, each with its error if it failed, unless the exit
// status `code` is 0: the error of the one input, or how many failed. Its code is `code`.
void add_outcome(nlohmann::ordered_json& document, int code,
                 const std::vector<std::optional<Error>>& inputs);

// null for the empty text.
[[nodiscard]] nlohmann::ordered_json text_or_null(const std::string& text);

// "shunt: PATH: operation: reason" and the hint on standard error; as JSON the document of an error
// on `json_stream`.
void print_error(const Globals& globals, const Error& error, Stream json_stream = Stream::kOut);

inline constexpr int kSchemaVersion = 1;

}  // namespace shunt::cli
