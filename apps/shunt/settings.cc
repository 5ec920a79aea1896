#include "settings.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <vector>

#include "config_file.h"
#include "nearest.h"
#include "shunt/files/path.h"
#include "shunt/text/ascii.h"

namespace shunt::cli {
namespace {

Error wrong(const std::string& where, std::string_view reason) {
  return usage(reason).with_path(where);
}

// ---- values -------------------------------------------------------------------------------------

bool is_flag(const CLI::Option& option) {
  return option.get_expected_min() == 0;
}

// Returns "true" or "false"; nullopt if the text is neither.
std::optional<std::string> truth_of(std::string_view text) {
  const std::string value = ascii::lower(text);
  for (const char* const yes : {"true", "1", "yes", "on"}) {
    if (value == yes) return "true";
  }
  for (const char* const no : {"false", "0", "no", "off"}) {
    if (value == no) return "false";
  }
  return std::nullopt;
}

// Sets the option to these values, or returns why it does not accept them. `where` is their origin.
Result<void> set(CLI::Option& option, const std::vector<std::string>& values,
                 const std::string& where) {
  const std::string name = "--" + option.get_lnames().front();
  try {
    if (is_flag(option)) {
      const std::string text = values.size() == 1 ? values.front() : "";
      // A counting flag takes a number.
      const bool counts = option.check_lname("verbose");
      const bool number = counts && text.size() == 1 && ascii::is_digit(text[0]);
      const auto value = number ? text : truth_of(text);
      if (!value) {
        return wrong(where, fmt::format("{} takes true or false{}, not '{}'", name,
                                        counts ? ", or a number" : "", text));
      }
      option.add_result(*value);
    } else {
      if (values.empty()) return wrong(where, name + " needs a value");
      if (values.size() > 1 && option.get_items_expected_max() == 1) {
        return wrong(where, name + " takes one value");
      }
      for (const std::string& value : values) option.add_result(value);
    }
    option.run_callback();
    // count() must only count the command line, since that decides which options exclude each
    // other.
    option.clear();
  } catch (const CLI::ParseError& error) {
    return wrong(where, error.what());
  }
  return {};
}

// ---- the environment ----------------------------------------------------------------------------

Result<void> apply_environment(CLI::App& app) {
  for (CLI::Option* const option : app.get_options()) {
    if (origin_of(*option) != Origin::kEnvironment) continue;
    const std::string name = environment_name(option->get_lnames().front());
    SHUNT_TRY(set(*option, {std::getenv(name.c_str())}, name));
  }
  for (CLI::App* const command : app.get_subcommands()) SHUNT_TRY(apply_environment(*command));
  return {};
}

// ---- the configuration file ---------------------------------------------------------------------

std::vector<std::string> keys_of(const CLI::App& app) {
  std::vector<std::string> keys;
  for (const CLI::Option* const option : app.get_options()) {
    if (option->get_configurable()) keys.push_back(option->get_lnames().front());
  }
  return keys;
}

std::vector<std::string> tables_of(const CLI::App& app) {
  std::vector<std::string> tables;
  for (const CLI::App* const command : app.get_subcommands({})) {
    if (!keys_of(*command).empty()) tables.push_back(command->get_name());
  }
  return tables;
}

// Returns "[faststart] or [fetch]": the commands that have this option.
std::string tables_with(const CLI::App& app, const std::string& key) {
  std::string tables;
  for (const CLI::App* const command : app.get_subcommands({})) {
    if (std::ranges::count(keys_of(*command), key) == 0) continue;
    tables += fmt::format("{}[{}]", tables.empty() ? "" : " or ", command->get_name());
  }
  return tables;
}

Result<CLI::App*> table_named(CLI::App& app, const std::vector<std::string>& names,
                              const std::string& where) {
  CLI::App* table = &app;
  for (const std::string& name : names) {
    const std::vector<CLI::App*> commands =
        table->get_subcommands([](const CLI::App*) { return true; });
    const auto below = std::ranges::find_if(
        commands, [&](const CLI::App* command) { return command->get_name() == name; });
    if (below == commands.end()) {
      return wrong(
          where, fmt::format("'{}' is not a command{}", name, suggestion(name, tables_of(*table))));
    }
    table = *below;
  }
  return table;
}

Result<void> apply_item(CLI::App& app, const ConfigItem& item, Settings& settings) {
  SHUNT_ASSIGN(CLI::App* const table, table_named(app, item.table, item.where));
  if (item.key.empty()) return {};
  CLI::Option* const option = table->get_option_no_throw("--" + item.key);
  if (option == nullptr) {
    if (const std::string tables = tables_with(*table, item.key); !tables.empty()) {
      return wrong(item.where,
                   fmt::format("'{}' is an option of commands: put it below {}", item.key, tables));
    }
    return wrong(item.where, fmt::format("'{}' is not an option{}", item.key,
                                         suggestion(item.key, keys_of(*table))));
  }
  if (!option->get_configurable()) {
    return wrong(item.where, fmt::format("'{}' can only be given on the command line", item.key));
  }
  if (origin_of(*option) != Origin::kFileOrNone) return {};
  settings.of_file.emplace_back(option, item.where);
  return set(*option, item.values, item.where);
}

Result<Settings> apply_file(CLI::App& app, const std::string& path, bool has_to_be_there) {
  const Result<std::vector<ConfigItem>> items = read_config(path);
  if (!items) {
    const int number = items.error().system_errno;
    if (!has_to_be_there && (number == ENOENT || number == ENOTDIR)) return Settings{};
    Error error = items.error();
    // The home of another user, as after su and in many containers.
    if (!has_to_be_there && files::is_out_of_reach(path)) return Settings{std::move(error), {}};
    error.code = ErrorCode::kUsage;
    return error;
  }
  Settings settings;
  for (const ConfigItem& item : *items) SHUNT_TRY(apply_item(app, item, settings));
  return settings;
}

}  // namespace

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

std::string environment_name(const std::string& long_name) {
  std::string name = "SHUNT_";
  for (const char c : long_name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Origin origin_of(const CLI::Option& option) {
  if (option.count() > 0) return Origin::kCommandLine;
  return option.get_configurable() && is_set(environment_name(option.get_lnames().front()).c_str())
             ? Origin::kEnvironment
             : Origin::kFileOrNone;
}

std::string said_as(const CLI::Option& option) {
  const std::string& name = option.get_lnames().front();
  switch (origin_of(option)) {
    case Origin::kCommandLine:
      return "--" + name;
    case Origin::kEnvironment:
      return environment_name(name);
    case Origin::kFileOrNone:
      break;
  }
  return fmt::format("'{}' of the configuration file", name);
}

const CLI::Option* one_that_counts(const CLI::Option& one, const CLI::Option& other) {
  if (origin_of(one) == origin_of(other)) return nullptr;
  return origin_of(one) > origin_of(other) ? &one : &other;
}

std::string Settings::place_of_second(const CLI::Option& one, const CLI::Option& other) const {
  std::string place;
  int found = 0;
  for (const auto& [option, where] : of_file) {
    if (option != &one && option != &other) continue;
    place = where;
    ++found;
  }
  return found == 2 ? place : "";
}

CLI::Option* with_environment(CLI::Option* option) {
  return option->configurable(true);
}

bool is_on(const char* variable) {
  return is_set(variable) && truth_of(std::getenv(variable)) == "true";
}

std::string usual_config_path() {
  // A relative path is to be ignored (XDG Base Directory Specification).
  if (const char* const base = std::getenv("XDG_CONFIG_HOME"); base != nullptr && *base == '/') {
    return std::string(base) + "/shunt/config.toml";
  }
  return is_set("HOME") ? std::string(std::getenv("HOME")) + "/.config/shunt/config.toml" : "";
}

Result<Settings> apply_settings(CLI::App& app, const std::string& named) {
  SHUNT_TRY(apply_environment(app));
  const std::string path = named.empty() ? usual_config_path() : named;
  return path.empty() ? Result<Settings>() : apply_file(app, path, !named.empty());
}

}  // namespace shunt::cli
