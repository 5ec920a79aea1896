// Where text and JSON go, and how an error looks in either.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "globals.h"
#include "report/description.h"
#include "shunt/base/error.h"

namespace shunt::cli {

enum class Stream { kOut, kErr };

// Writes all of `text`, as it is; a closed pipe is no failure here, since nothing but words is
// lost.
void print(Stream stream, std::string_view text);
// A line for people, with its end, that shows names as they may be shown (text/printable.h): all
// text that may have some in it goes through here. `paint` is a sequence for the terminal that
// colours it, or empty.
[[nodiscard]] std::string line_of(std::string_view text, std::string_view paint = {});
void print_line(Stream stream, std::string_view text);
// Whether something for standard output could not be written; a reader that has gone does not
// count.
[[nodiscard]] bool output_was_lost();

// The document as JSON, and a newline. Texts in it may be any bytes: beside one that is no UTF-8
// stands NAME_bytes, percent-encoded.
void print_document(Stream stream, const Document& document);

// The error object of the contract: code (the exit code), message, path; hint and offset if any.
[[nodiscard]] Value error_json(const Error& error);
// The same, or null.
[[nodiscard]] Value error_json(const std::optional<Error>& error);

// Adds the field `error` to the document of several inputs, each with its error if it failed,
// unless the exit status `code` is 0: the error of the one input, or how many failed. Its code is
// `code`.
void add_outcome(Document& document, int code, const std::vector<std::optional<Error>>& inputs);

// "shunt: PATH: operation: reason" and the hint on standard error; as JSON the document of an error
// on `json_stream`.
void print_error(const Globals& globals, const Error& error, Stream json_stream = Stream::kOut);

}  // namespace shunt::cli
