#include "shunt/io/temporary.h"

#include <cstdlib>

namespace shunt::io {

std::optional<std::string> folder_of_tmpdir() {
  const char* const folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder != '/') return std::nullopt;
  return folder;
}

std::string temporary_folder() {
  return folder_of_tmpdir().value_or("/var/tmp");
}

}  // namespace shunt::io
