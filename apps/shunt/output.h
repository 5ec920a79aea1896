// Prints text, JSON and errors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "globals.h"
#include "report/description.h"
#include "shunt/base/error.h"

namespace shunt::cli {

enum class Stream { kOut, kErr };

// Writes all of `text` unchanged. A closed pipe is not an error, since only words are lost.
void print(Stream stream, std::string_view text);
// Returns a line for people, with newline, in which names are made printable (text/printable.h):
// all text that may contain names goes through here. `paint` is a terminal sequence that colours
// it, or empty.
[[nodiscard]] std::string line_of(std::string_view text, std::string_view paint = {});
void print_line(Stream stream, std::string_view text);
// Returns true if output for standard output could not be written. A reader that left does not
// count.
[[nodiscard]] bool output_was_lost();

// Prints the document as JSON and a newline. A text NAME that is not UTF-8 gets a companion
// NAME_bytes, percent-encoded.
void print_document(Stream stream, const Document& document);

// Returns the JSON error object: code (the exit code), message, path; hint and offset if there are
// any.
[[nodiscard]] Value error_json(const Error& error);
// Same; null if there is no error.
[[nodiscard]] Value error_json(const std::optional<Error>& error);

// Adds the field `error` to the document of several inputs, unless the exit code `code` is 0: the
// error of the only input, or how many failed. Its code is `code`.
void add_outcome(Document& document, int code, const std::vector<std::optional<Error>>& inputs);

// Prints "shunt: PATH: operation: reason" and the hint on standard error; with --json an error
// document on `json_stream`.
void print_error(const Globals& globals, const Error& error, Stream json_stream = Stream::kOut);

}  // namespace shunt::cli
