// What a command reports: values with names and units, and phrases for people. Rendered as text
// (report/text.h), JSON (report/json.h), or otherwise.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/error.h"

namespace shunt::cli {

// How to show a number to people.
enum class Unit {
  kPlain,
  kBytes,         // "1.5 MiB"
  kSeconds,       // "0.3 s"
  kMilliseconds,  // a number of seconds, "0.300 s"
};

// A value, a list, or nested values; null: unknown.
using Value = nlohmann::ordered_json;

// In `phrase` and `row`, {} is replaced by the value as shown to people, {NAME} by that of another
// field, and {NAME:n} by that without its unit.
struct Field {
  std::string name{};  // in JSON; a name that begins with '.' is not in JSON
  Value value{};
  Unit unit = Unit::kPlain;
  // Part of the one-line text for people.
  std::string phrase{};
  bool always = false;  // show the phrase even if the value is null, false, 0 or empty
  // A row of a table for people: its label and text.
  std::string label{};
  std::string row = "{}";
};

// The report on one input or one run. A value.
class Description {
 public:
  // The subject at the begin of the line: a path, or empty.
  explicit Description(std::string subject = {}) : subject_(std::move(subject)) {}

  // Adds a field; fields are shown in this order. Returns it, so that it can be completed; valid
  // until the next add.
  Field& add(Field field) { return fields_.emplace_back(std::move(field)); }
  // A number of bytes.
  Field& add_bytes(std::string name, std::uint64_t bytes);
  // null for an empty text.
  Field& add_text(std::string name, const std::string& text);

  [[nodiscard]] const std::string& subject() const { return subject_; }
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  // Returns the field of that name, or null.
  [[nodiscard]] const Field* find(std::string_view name) const;

 private:
  std::string subject_;
  std::vector<Field> fields_;
};

// The final report of a command: one Description, or one per input.
struct Document {
  Description whole{};  // fields of the document itself
  // The name of the list of inputs; empty: none.
  std::string list{};
  std::vector<Description> inputs{};
};

// Returns the noun for a number: "request" or "requests".
[[nodiscard]] std::string noun_for(std::uint64_t number, std::string_view one,
                                   std::string_view several);

}  // namespace shunt::cli
