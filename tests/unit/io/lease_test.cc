#include "shunt/io/lease.h"

#include <fcntl.h>

#include <csignal>
#include <optional>
#include <thread>

#include "shunt/io/source.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::io {
namespace {

TEST_CASE("whoever opens a file to read it waits for the end of a lease") {
  const test::TempDir dir;
  const File file = File::create(dir.file("a")).value();
  std::optional<Lease> lease;
  lease.emplace(file);
  if (!lease->held()) return;  // none to be had here
  std::thread holder([&] {
    while (::fcntl(file.fd(), F_GETLEASE) == F_WRLCK) std::this_thread::yield();
    lease.reset();
  });
  const auto source = FileSource::open(dir.file("a"));
  holder.join();
  CHECK(source);
}

TEST_CASE("a wait for the end of a lease ends when the user says stop") {
  const test::TempDir dir;
  const File file = File::create(dir.file("a")).value();
  const Lease lease(file);
  if (!lease.held()) return;
  CancelToken cancel;
  cancel.request(SIGINT);
  const auto source = FileSource::open(dir.file("a"), nullptr, &cancel);
  REQUIRE_FALSE(source);
  CHECK(source.error().code == ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace shunt::io
