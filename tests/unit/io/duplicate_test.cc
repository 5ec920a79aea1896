#include "shunt/io/duplicate.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "support/catch.h"

namespace shunt::io {
namespace {

TEST_CASE("what no descriptor is left for is an error, and no file") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const Fd held(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  Fd next(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const rlimit none{static_cast<rlim_t>(next.get()), limit.rlim_max};
  next = Fd();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Result<File> refused = duplicate(STDIN_FILENO, "-", "read");
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().system_errno == EMFILE);
  CHECK(refused.error().path == "-");
  const Result<File> copy = duplicate(STDERR_FILENO, "-", "read");
  REQUIRE(copy);
  CHECK(copy->fd() > STDERR_FILENO);
}

}  // namespace
}  // namespace shunt::io
