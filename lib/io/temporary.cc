#include "shunt/io/temporary.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace shunt::io {

std::optional<std::string> folder_of_tmpdir() {
  const char* const folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder != '/') return std::nullopt;
  return folder;
}

std::string temporary_folder() {
  if (std::optional<std::string> folder = folder_of_tmpdir()) return *std::move(folder);
  return ::access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

}  // namespace shunt::io
