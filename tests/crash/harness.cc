#include "harness.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace shunt::test {

ScratchDirectory::ScratchDirectory()
    : path_(::access("/dev/shm", W_OK) == 0 ? "/dev/shm/shunt-crash-XXXXXX"
                                            : "/tmp/shunt-crash-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) std::exit(2);
}

ScratchDirectory::~ScratchDirectory() {
  if (std::system(("rm -rf --one-file-system '" + path_ + "'").c_str()) != 0) return;
}

int in_child(io::Kernel& kernel, const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const io::KernelOverride installed(&kernel);
    ::_exit(body());
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool wants_all() {
  return std::getenv("SHUNT_TEST_FULL") != nullptr;
}

unsigned chosen_seed() {
  const char* const text = std::getenv("SHUNT_SEED");
  const unsigned seed =
      text != nullptr ? static_cast<unsigned>(std::atoi(text)) : std::random_device()();
  std::printf("SHUNT_SEED=%u\n", seed);
  return seed;
}

}  // namespace shunt::test
