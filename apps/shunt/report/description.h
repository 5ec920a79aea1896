// What a command has found out, described once: values with their names and units, and the words
// for people. A renderer makes text of it (report/text.h), JSON (report/json.h), or something else.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/error.h"

namespace shunt::cli {

// How a number looks to people.
enum class Unit {
  kPlain,
  kBytes,         // "1.5 MiB"
  kSeconds,       // "0.3 s"
  kMilliseconds,  // a number of seconds, "0.300 s"
};

// A value, a list of values, or nested ones; null: not known.
using Value = nlohmann::ordered_json;

// In `phrase` and `row`, {} stands for the value as people read it, {NAME} for that of another
// field, and {NAME:n} for it without its unit.
struct Field {
  std::string name{};  // in JSON; a name that begins with '.' is for the words alone
  Value value{};
  Unit unit = Unit::kPlain;
  // A part of the one line for people.
  std::string phrase{};
  bool always = false;  // show the phrase also when the value is null, false, 0 or empty
  // A row of a table for people: its label, and what stands beside it.
  std::string label{};
  std::string row = "{}";
};

// Of one input, or of a run. A value.
class Description {
 public:
  // What it is about, at the begin of the line: a path, or nothing.
  explicit Description(std::string subject = {}) : subject_(std::move(subject)) {}

  // In the order in which they are shown. Returns it, for more to be said of it.
  Field& add(Field field) { return fields_.emplace_back(std::move(field)); }
  // A number of bytes.
  Field& add_bytes(std::string name, std::uint64_t bytes);
  // null for the empty text.
  Field& add_text(std::string name, const std::string& text);

  [[nodiscard]] const std::string& subject() const { return subject_; }
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  // The field of that name; null when there is none.
  [[nodiscard]] const Field* find(std::string_view name) const;

 private:
  std::string subject_;
  std::vector<Field> fields_;
};

// What a command says at its end: one Description, or one for each input.
struct Document {
  Description whole{};  // fields of the document itself
  // The name of the list of inputs; empty: there is none.
  std::string list{};
  std::vector<Description> inputs{};
};

// The noun that goes with a number: "request" or "requests".
[[nodiscard]] std::string noun_for(std::uint64_t number, std::string_view one,
                                   std::string_view several);

}  // namespace shunt::cli
