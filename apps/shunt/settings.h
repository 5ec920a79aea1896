// Options from the environment and the configuration file.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli_fwd.h"
#include "shunt/base/error.h"
#include "shunt/base/result.h"

namespace shunt::cli {

// Returns SHUNT_ and the long name: "--cache-dir" gives SHUNT_CACHE_DIR.
[[nodiscard]] std::string environment_name(const std::string& long_name);

// Where the value of an option comes from, in ascending order of precedence.
enum class Origin { kFileOrNone, kEnvironment, kCommandLine };
[[nodiscard]] Origin origin_of(const CLI::Option& option);
// Returns the option's name as its origin has it: "--cache-dir", "SHUNT_CACHE_DIR", or 'cache-dir'
// in the file.
[[nodiscard]] std::string said_as(const CLI::Option& option);
// Of two options that exclude each other and both have a value, returns the one that takes
// precedence; null if they have the same origin, which is an error.
[[nodiscard]] const CLI::Option* one_that_counts(const CLI::Option& one, const CLI::Option& other);

// Lets an option that says how (not what) things are done also be set by its variable and by the
// configuration file (Option::configurable). Other options cannot be.
CLI::Option* with_environment(CLI::Option* option);

// Returns true if an environment variable is set and not empty.
[[nodiscard]] bool is_set(const char* variable);
// Returns true if a variable turns a flag on.
[[nodiscard]] bool is_on(const char* variable);

// Returns the default path of the configuration file; empty: none.
[[nodiscard]] std::string usual_config_path();

struct Settings {
  std::optional<Error> out_of_reach;  // why the default file was not looked for
  // Options whose value comes from the file, in file order, with "FILE:LINE".
  std::vector<std::pair<const CLI::Option*, std::string>> of_file;

  // Returns where the later of two options is set in the file; empty if they do not come from it.
  [[nodiscard]] std::string place_of_second(const CLI::Option& one, const CLI::Option& other) const;
};

// Call after the command line has been parsed: sets options that it does not have from their
// variables, or else from the configuration file, which is `named` (it must exist) or the default
// one. Option::count() still counts the command line only. Returns kUsage with the variable, or the
// file and line, also for a value that belongs to another command.
[[nodiscard]] Result<Settings> apply_settings(CLI::App& app, const std::string& named);

}  // namespace shunt::cli
