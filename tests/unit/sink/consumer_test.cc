// A command that takes a stream: what it has seen when the stream ended, or failed.
#include "shunt/sink/consumer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace {

using namespace shunt;
using sink::Consumer;

void pour(const Consumer& consumer) {
  auto stream = consumer.stream();
  REQUIRE(stream);
  REQUIRE(stream->write_next(std::as_bytes(std::span("words", 5))));
  REQUIRE(stream->close());
}

}  // namespace

TEST_CASE("a consumer sees the end when the stream is whole, and its status is told") {
  const test::TempDir dir;
  auto consumer = Consumer::start("cat >" + dir.file("kept") + "; exit 3");
  REQUIRE(consumer);
  pour(**consumer);
  const auto status = (*consumer)->finish(CancelToken());
  REQUIRE(status);
  CHECK(*status == 3);
  CHECK(std::filesystem::file_size(dir.file("kept")) == 5);
}

TEST_CASE("a consumer is killed before it sees the end of a stream that failed") {
  const test::TempDir dir;
  const std::string whole = dir.file("whole");
  // All that the consumer starts has the other end open.
  const std::string name = dir.file("alive");
  REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
  const io::Fd alive(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  pollfd waiting{alive.get(), POLLIN, 0};
  char said[2];
  {
    auto consumer = Consumer::start(
        "exec 3>" + name + "; echo >&3; trap '' TERM; cat | { cat >/dev/null; : >" + whole + "; }");
    REQUIRE(consumer);
    pour(**consumer);
    REQUIRE(::poll(&waiting, 1, 60'000) == 1);
    REQUIRE(::read(alive.get(), said, sizeof said) == 1);
    if (GENERATE(true, false)) CHECK_FALSE((*consumer)->give_up());
  }
  REQUIRE(::poll(&waiting, 1, 60'000) == 1);
  CHECK(::read(alive.get(), said, sizeof said) == 0);
  CHECK_FALSE(std::filesystem::exists(whole));
}

TEST_CASE("one that has ended by itself says how, and leaves nobody behind") {
  const test::TempDir dir;
  auto consumer = Consumer::start("exit 4");
  REQUIRE(consumer);
  const auto status = (*consumer)->give_up(10'000);
  REQUIRE(status);
  CHECK(*status == 4);
  CHECK_FALSE((*consumer)->give_up());
}

TEST_CASE("a consumer at its work is waited for until somebody says stop") {
  auto consumer = Consumer::start("sleep 100");
  REQUIRE(consumer);
  CancelToken cancel;
  std::thread stopping([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    cancel.request(SIGINT);
  });
  const auto status = (*consumer)->finish(cancel);
  stopping.join();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kInterrupted);
}
