#include "shunt/process/process_name.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace shunt::process {

// proc_pid_stat(5): arg_start and arg_end are fields 48 and 49. Field 2 is the name, in
// parentheses, and may contain anything.
ProcessName::ProcessName() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 48; ++field) fields >> skipped;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  if (!(fields >> begin >> end) || begin == 0 || end <= begin) return;
  arguments_ = reinterpret_cast<char*>(begin);
  size_ = end - begin;
}

void ProcessName::replace(const char* name) const noexcept {
  (void)::prctl(PR_SET_NAME, name);
  if (size_ == 0) return;
  const std::size_t length = std::min(std::strlen(name), size_ - 1);
  std::memset(arguments_, 0, size_);
  std::memcpy(arguments_, name, length);
}

}  // namespace shunt::process
