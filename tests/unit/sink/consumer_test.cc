// A command that takes a stream: what it has seen when the stream ended, or failed.
#include "shunt/sink/consumer.h"

#include <csignal>
#include <filesystem>
#include <thread>

#include "support/catch.h"
#include "support/temp_dir.h"

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
  {
    auto consumer = Consumer::start("trap '' TERM; cat | { cat >/dev/null; : >" + whole + "; }");
    REQUIRE(consumer);
    pour(**consumer);
    if (GENERATE(true, false)) CHECK_FALSE((*consumer)->give_up());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
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
  std::thread stopping([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel.request(SIGINT);
  });
  const auto status = (*consumer)->finish(cancel);
  stopping.join();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kInterrupted);
}
