// From one descriptor to another, in order.
#include "shunt/sink/copy_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "shunt/io/sha256.h"
#include "support/catch.h"
#include "support/pipe_ends.h"
#include "support/reading_pipe.h"
#include "support/temp_dir.h"
#include "support/waiting.h"

namespace {

using namespace shunt;
using Bytes = std::vector<std::byte>;

// Noise with zeros in it.
Bytes sample() {
  std::minstd_rand random(3);
  Bytes bytes(5'000'003);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random() >> 8U);
  std::fill(bytes.begin() + 1'000'000, bytes.begin() + 3'000'000, std::byte{0});
  return bytes;
}

struct Source {
  test::TempDir dir;
  Bytes bytes = sample();
  io::File file;
  test::PipeEnds ends;
  io::File pipe;
  std::thread writer;

  Source() {
    std::signal(SIGPIPE, SIG_IGN);
    file = io::File::create(dir.file("in")).value();
    REQUIRE(file.write_at(0, bytes));
    pipe = io::File::adopt(std::move(ends.reader), "(pipe)");
    writer = std::thread([this] {
      (void)ends.writer.write_next(bytes);
      (void)ends.writer.close();
    });
  }
  ~Source() {
    (void)pipe.close();
    writer.join();
  }
  [[nodiscard]] const io::File& in(bool from_pipe) const { return from_pipe ? pipe : file; }
};

Bytes content(const io::File& file) {
  Bytes bytes(file.size().value());
  REQUIRE(file.read_at(0, bytes));
  return bytes;
}

}  // namespace

TEST_CASE_METHOD(Source, "a stream goes into a pipe whole, with and without a digest") {
  const bool from_pipe = GENERATE(true, false);
  const bool digest = GENERATE(true, false);
  test::ReadingPipe out;
  const auto copied = sink::copy_stream(in(from_pipe), out.in(), {.digest = digest});
  REQUIRE_FALSE(copied.error);
  CHECK(copied.bytes == bytes.size());
  CHECK(copied.digest == (digest ? "sha256:" + io::sha256_hex(bytes) : ""));
  CHECK(out.all() == bytes);
}

TEST_CASE_METHOD(Source, "a stream goes into a file whole, with holes where they are wanted") {
  const bool from_pipe = GENERATE(true, false);
  const auto zeros = GENERATE(streams::Zeros::kWritten, streams::Zeros::kHoles);
  io::File out = io::File::create(dir.file("out")).value();
  const auto copied = sink::copy_stream(in(from_pipe), out, {.zeros = zeros});
  REQUIRE_FALSE(copied.error);
  CHECK(copied.bytes == bytes.size());
  CHECK(content(out) == bytes);
  CHECK((copied.zero_bytes > 1'500'000) == (zeros == streams::Zeros::kHoles));
  CHECK((out.status()->st_blocks * 512 < 4'000'000) == (zeros == streams::Zeros::kHoles));
}

TEST_CASE_METHOD(Source, "a stream goes behind what is there when it is opened to append") {
  const std::string path = dir.file("out");
  {
    io::File before = io::File::create(path).value();
    REQUIRE(before.write_at(0, std::span(bytes).first(10)));
  }
  io::File out = io::File::adopt(io::Fd(::open(path.c_str(), O_RDWR | O_APPEND)), path);
  REQUIRE_FALSE(sink::copy_stream(in(true), out, {}).error);
  Bytes expected(bytes.begin(), bytes.begin() + 10);
  expected.insert(expected.end(), bytes.begin(), bytes.end());
  CHECK(content(out) == expected);
}

TEST_CASE_METHOD(Source, "a reader that goes away is EPIPE") {
  test::ReadingPipe out(1'000'000);
  const auto copied = sink::copy_stream(in(GENERATE(true, false)), out.in(), {});
  REQUIRE(copied.error);
  CHECK(copied.error->system_errno == EPIPE);
  CHECK(copied.bytes >= 1'000'000);
  CHECK(copied.digest.empty());
}

TEST_CASE_METHOD(Source, "whoever waits for input or for a reader can be stopped") {
  CancelToken cancel;
  std::thread stopper([&, waiting = test::this_thread()] {
    test::until_asleep(waiting);
    cancel.request(15);
  });
  test::PipeEnds idle;
  const io::File reading_end = io::File::adopt(std::move(idle.reader), "(pipe)");
  const bool digest = GENERATE(true, false);
  const sink::CopyOptions options{.digest = digest, .context = {.cancel = &cancel}};
  if (GENERATE(true, false)) {
    io::File out = io::File::create(dir.file("out")).value();
    CHECK(sink::copy_stream(reading_end, out, options).error->code == ErrorCode::kInterrupted);
  } else {
    CHECK(sink::copy_stream(file, idle.writer, options).error->code == ErrorCode::kInterrupted);
  }
  stopper.join();
}
