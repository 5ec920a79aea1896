// The name of this process as killall(1) sees it, and its arguments as pkill(1) does.
#pragma once

#include <cstddef>

namespace shunt::process {

// Constructed before fork(2), to rename the child.
class ProcessName {
 public:
  // Finds the arguments, which nobody may use once they are replaced.
  ProcessName();
  // Sets the name, at most 15 bytes, and clears the arguments if they were found. Async-signal-safe
  // (signal-safety(7)).
  void replace(const char* name) const noexcept;

 private:
  char* arguments_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace shunt::process
