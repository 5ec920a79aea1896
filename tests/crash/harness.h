// What the crash tests run in: a scratch directory, a child process, a seed.
#pragma once

#include <functional>
#include <string>

#include "shunt/io/kernel.h"

namespace shunt::test {

inline constexpr int kSkipped = 77;  // exit status: not possible here

// A directory in memory where there is one, and gone with this object.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs `body` in a child process under `kernel`. The exit status, or minus the signal.
int in_child(io::Kernel& kernel, const std::function<int()>& body);

// SHUNT_TEST_FULL: nothing is left out.
[[nodiscard]] bool wants_all();

// What picks the sample: SHUNT_SEED, or by chance; it is printed.
[[nodiscard]] unsigned chosen_seed();

}  // namespace shunt::test
