// What others take this process for: killall(1) goes by its name, pkill(1) by its arguments too.
#pragma once

#include <cstddef>

namespace shunt::process {

// Found out before fork(2), so that the new process can be called something else.
class ProcessName {
 public:
  // Where the arguments are, which nobody may use once they are replaced.
  ProcessName();
  // From now on; at most 15 bytes. Only what signal-safety(7) allows. Where the arguments could not
  // be found they stay.
  void replace(const char* name) const noexcept;

 private:
  char* arguments_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace shunt::process
