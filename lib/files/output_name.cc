#include "shunt/files/output_name.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "shunt/files/path.h"

namespace shunt::files {

std::optional<int> output_descriptor(const std::string& name) {
  return name == "-" ? STDOUT_FILENO : descriptor_named(name);
}

bool is_standard_output(const std::string& name) {
  return output_descriptor(name) == STDOUT_FILENO;
}

bool names_stream(const std::string& name) {
  if (output_descriptor(name)) return true;
  struct stat there {};
  return ::stat(name.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
}

Result<std::string> name_for_new_file(const std::string& path, IfThere if_there) {
  if (names_stream(path)) {
    Error error = system_error(EEXIST, path, "create");
    error.reason = "it is written to, never replaced";
    return error;
  }
  struct stat there {};
  const bool leads_somewhere = ::stat(path.c_str(), &there) == 0;
  if (leads_somewhere && S_ISDIR(there.st_mode)) return system_error(EISDIR, path, "create");
  if (if_there == IfThere::kReplace) return leads_somewhere ? resolve(path) : path;
  if (::lstat(path.c_str(), &there) == 0) return there_already(path);
  return path;
}

}  // namespace shunt::files
