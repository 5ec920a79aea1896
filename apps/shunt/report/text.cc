#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/text/size_text.h"

namespace shunt::cli {
namespace {

bool says_nothing(const Value& value) {
  return value.is_null() || value == Value(false) || (value.is_number() && value == 0) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

// Returns `pattern` with the values of `field` and other fields filled in.
std::string filled(std::string_view pattern, const Field& field, const Description& description) {
  std::string text;
  while (true) {
    const std::size_t begin = pattern.find('{');
    const std::size_t end = begin == std::string_view::npos ? begin : pattern.find('}', begin);
    if (end == std::string_view::npos) return text.append(pattern);
    text += pattern.substr(0, begin);
    std::string_view name = pattern.substr(begin + 1, end - begin - 1);
    pattern.remove_prefix(end + 1);
    const bool plain = name.ends_with(":n");
    if (plain) name.remove_suffix(2);
    const Field* const meant = name.empty() ? &field : description.find(name);
    if (meant != nullptr) text += shown(meant->value, plain ? Unit::kPlain : meant->unit);
  }
}

}  // namespace

std::string shown(const Value& value, Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return format_size(value.get<std::uint64_t>());
    case Unit::kSeconds:
      return fmt::format("{:.1f} s", value.get<double>());
    case Unit::kMilliseconds:
      return fmt::format("{:.3f} s", value.get<double>());
    case Unit::kPlain:
      break;
  }
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string line_for(const Description& description) {
  std::string line;
  for (const Field& field : description.fields()) {
    if (field.phrase.empty() || (!field.always && says_nothing(field.value))) continue;
    if (!line.empty()) line += ", ";
    line += filled(field.phrase, field, description);
  }
  return description.subject().empty() ? line : description.subject() + ": " + line;
}

std::vector<std::string> rows_for(const Description& description) {
  std::size_t width = 0;
  for (const Field& field : description.fields()) width = std::max(width, field.label.size());
  std::vector<std::string> rows;
  for (const Field& field : description.fields()) {
    if (field.label.empty()) continue;
    rows.push_back(
        fmt::format("{:{}}   {}", field.label, width, filled(field.row, field, description)));
  }
  return rows;
}

}  // namespace shunt::cli
