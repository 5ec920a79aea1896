// Options that come from the environment and from the configuration file.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli_fwd.h"
#include "shunt/base/error.h"
#include "shunt/base/result.h"

namespace shunt::cli {

// SHUNT_ and the long name: "--cache-dir" is SHUNT_CACHE_DIR.
[[nodiscard]] std::string environment_name(const std::string& long_name);

// Where the value of an option comes from: what stands later here goes before what stands earlier.
enum class Origin { kFileOrNone, kEnvironment, kCommandLine };
[[nodiscard]] Origin origin_of(const CLI::Option& option);
// As whoever set it said it: "--cache-dir", "SHUNT_CACHE_DIR", or 'cache-dir' of the file.
[[nodiscard]] std::string said_as(const CLI::Option& option);
// Of two options that exclude one another, and both have a value, the one that counts. Null where
// both come from the same place: that is an error then.
[[nodiscard]] const CLI::Option* one_that_counts(const CLI::Option& one, const CLI::Option& other);

// Marks an option that says how things are done, not what is done: it may also come from its
// variable and from the configuration file (Option::configurable). Others may not.
CLI::Option* with_environment(CLI::Option* option);

// Whether a variable of the environment has a value that is not empty.
[[nodiscard]] bool is_set(const char* variable);
// Whether a variable turns a flag on.
[[nodiscard]] bool is_on(const char* variable);

// Where the configuration file is looked for; empty: nowhere.
[[nodiscard]] std::string usual_config_path();

struct Settings {
  std::optional<Error> out_of_reach;  // why the usual file was not looked for, where it was not
  // What has its value from the file, in the order of its lines, and where: "FILE:LINE".
  std::vector<std::pair<const CLI::Option*, std::string>> of_file;

  // Where the later of two is set that have their values from the file; empty where they have not.
  [[nodiscard]] std::string place_of_second(const CLI::Option& one, const CLI::Option& other) const;
};

// To be called once the command line has been parsed: gives the options that were not on it what
// their variable says, else the configuration file, which is `named`, and has to be there, or the
// usual one. The count() of an option stays that of the command line. kUsage names the variable, or
// the file and the line, also where the value is for another command.
[[nodiscard]] Result<Settings> apply_settings(CLI::App& app, const std::string& named);

}  // namespace shunt::cli
