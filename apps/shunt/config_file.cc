#include "config_file.h"

#include <fmt/format.h>
#include <toml.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string_view>

#include "shunt/io/file.h"
#include "shunt/text/ascii.h"

namespace shunt::cli {
namespace {

// More than anybody needs. toml11 recurses for nested lists and tables, and searches the text for
// each line number.
constexpr std::size_t kMostBytes = std::size_t{64} << 10;
constexpr std::size_t kLongestLine = std::size_t{4} << 10;
constexpr std::ptrdiff_t kMostBrackets = 256;

std::string line_at(std::string_view text, std::size_t number) {
  for (; number > 1 && !text.empty(); --number) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return std::string(ascii::trimmed(text.substr(0, text.find_first_of("\r\n"))));
}

// toml11 shows two places as a picture, with "  1 | quiet = true" for the first.
std::string already(const std::string& told) {
  const std::size_t name = told.find("(\"") + 2;
  const std::size_t bar = told.find(" | ");
  const std::string_view before = std::string_view(told).substr(0, bar);
  return fmt::format("'{}' is already set on line {}", told.substr(name, told.find("\")") - name),
                     before.substr(before.find_last_of(" \n") + 1));
}

// Returns what is wrong with the line at which toml11 stops. toml11's message begins with "[error]
// ", the name of a function and a colon.
std::string reason_of(const std::string& line, const std::string& told) {
  if (told.find("\") already exists") < told.find('\n')) return already(told);
  const std::size_t equals = line.find('=');
  if (line.starts_with('[')) return "a table is [NAME]";
  if (!line.empty() && (equals == std::string::npos || equals == 0)) {
    return "neither KEY = VALUE, [TABLE] nor # comment";
  }
  if (!line.empty() && equals + 1 == line.size()) return "the value is missing";
  std::string reason = told.substr(0, told.find('\n'));
  reason.erase(0, reason.find("] ") + 2);
  if (reason.starts_with("toml::")) reason.erase(0, reason.find(": ") + 2);
  return reason + (line.empty() ? "" : "; text needs quotes");  // empty: the end of the file
}

class ConfigReader {
 public:
  ConfigReader(const std::string& path, const std::string& text) : path_(path), text_(text) {}

  Result<std::vector<ConfigItem>> read() {
    SHUNT_TRY(check_bounds());
    try {
      std::istringstream input(text_);
      SHUNT_TRY(read_table(toml::parse(input, path_), {}));
    } catch (const toml::exception& error) {
      const std::size_t line = error.location().line();
      return wrong(line, reason_of(line_at(text_, line), error.what()));
    }
    std::ranges::stable_sort(items_, {}, &Item::line);
    std::vector<ConfigItem> items;
    for (Item& item : items_) items.push_back(std::move(item.item));
    return items;
  }

 private:
  struct Item {
    std::size_t line;
    ConfigItem item;
  };

  [[nodiscard]] std::string where(std::size_t line) const {
    return fmt::format("{}:{}", path_, line);
  }
  [[nodiscard]] Error wrong(std::size_t line, std::string_view reason) const {
    return usage(reason).with_path(where(line));
  }

  [[nodiscard]] Result<void> check_bounds() const {
    if (text_.size() > kMostBytes ||
        std::ranges::count(text_, '[') + std::ranges::count(text_, '{') > kMostBrackets) {
      return usage("too large for a configuration file").with_path(path_);
    }
    std::size_t number = 1;
    for (std::string_view rest = text_; !rest.empty(); ++number) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (end > kLongestLine) return wrong(number, "the line is too long");
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as there are brackets and dots in a line
  Result<void> read_table(const toml::value& table, const std::vector<std::string>& names) {
    for (const auto& [name, value] : table.as_table()) {
      const std::size_t line = value.location().line();
      Item item{line, {names, name, {}, where(line)}};
      if (value.is_table()) {
        std::vector<std::string> below = names;
        below.push_back(name);
        items_.push_back({line, {below, "", {}, where(line)}});
        SHUNT_TRY(read_table(value, below));
        continue;
      }
      if (value.is_array()) {
        for (const toml::value& one : value.as_array()) {
          SHUNT_TRY(add_value(item.item, one, line));
        }
      } else {
        SHUNT_TRY(add_value(item.item, value, line));
      }
      items_.push_back(std::move(item));
    }
    return {};
  }

  Result<void> add_value(ConfigItem& item, const toml::value& value, std::size_t line) const {
    std::string text;
    if (value.is_string()) {
      text = value.as_string().str;
    } else if (value.is_boolean()) {
      text = value.as_boolean() ? "true" : "false";
    } else if (value.is_floating()) {
      text = fmt::format("{}", value.as_floating());
    } else if (value.is_integer()) {
      const std::int64_t number = value.as_integer();
      // toml11 returns these for larger numbers.
      if (number == INT64_MAX || number == INT64_MIN) {
        return wrong(line, fmt::format("the number of '{}' is too large", item.key));
      }
      text = std::to_string(number);
    } else {
      return wrong(line, fmt::format("'{}' takes text, numbers, true or false", item.key));
    }
    // C functions would only see the part before it.
    if (text.find('\0') != std::string::npos) {
      return wrong(line, fmt::format("'{}' contains a zero byte", item.key));
    }
    item.values.push_back(std::move(text));
    return {};
  }

  const std::string& path_;
  const std::string& text_;
  std::vector<Item> items_;
};

}  // namespace

Result<std::vector<ConfigItem>> parse_config(const std::string& path, const std::string& text) {
  return ConfigReader(path, text).read();
}

Result<std::vector<ConfigItem>> read_config(const std::string& path) {
  SHUNT_ASSIGN(io::File file, io::File::open_to_read(path));
  std::string text;
  std::string piece(std::size_t{16} << 10, '\0');
  while (text.size() <= kMostBytes) {
    SHUNT_ASSIGN(const std::size_t got, file.read_some(std::as_writable_bytes(std::span(piece))));
    if (got == 0) break;
    text.append(piece, 0, got);
  }
  return parse_config(path, text);
}

}  // namespace shunt::cli
