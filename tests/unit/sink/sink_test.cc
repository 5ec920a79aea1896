// The disk that leaves as a stream, against a plain array.
#include "shunt/sink/sink.h"

#include <poll.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <random>

#include "shunt/io/kernel.h"
#include "support/catch.h"
#include "support/pipe_ends.h"
#include "support/reading_pipe.h"
#include "support/temp_dir.h"
#include "unit/sink/noise.h"

namespace {

using namespace shunt;
using sink::CommitPolicy;
using sink::kMiB;
using sink::noise;
using sink::Options;
using sink::Sink;
using test::ReadingPipe;
using Bytes = std::vector<std::byte>;

Options options(std::uint64_t size, CommitPolicy policy, std::uint64_t window = 0) {
  Options options;
  options.size = size;
  options.policy = policy;
  options.window = window;
  return options;
}

std::unique_ptr<Sink> start(io::File& out, Options options) {
  std::signal(SIGPIPE, SIG_IGN);
  auto started = Sink::start(out, std::move(options));
  REQUIRE(started);
  return std::move(*started);
}

// Waits, since a thread sends.
void until_sent(Sink& sink, std::uint64_t position) {
  for (int i = 0; i < 5000 && !sink.is_sent(position).value_or(true); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(sink.is_sent(position).value());
}

// As a client's FLUSH: when it is answered, the consumer has all that was let go before it.
void flush(Sink& sink) {
  const std::uint64_t released = sink.released();
  Result<bool> done = false;
  for (int i = 0; i < 5000 && !*done; ++i) {
    done = sink.is_sent(released);
    RC_ASSERT(done.has_value());
    if (!*done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  RC_ASSERT(*done);
  RC_ASSERT(sink.summary().bytes_out >= released);
}

// Any requests, checked one by one against `disk`. Returns whether one was refused.
bool any_requests(Sink& sink, Bytes& disk, std::mt19937& random, bool reads) {
  const auto below = [&](std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(0, most - 1)(random);
  };
  std::uint64_t at = 0;  // of a writer in order
  for (int step = 0; step < 80; ++step) {
    const bool in_order = below(2) == 0;
    const std::uint64_t begin =
        in_order ? std::min<std::uint64_t>(at, disk.size() - 1) : below(disk.size());
    const ByteRange range{begin, std::min<std::uint64_t>(disk.size(), begin + 1 + below(60'000))};
    if (in_order) at = range.end;
    const auto place = std::span(disk).subspan(begin, range.size());
    const std::uint64_t released = sink.released();
    Result<void> done;
    bool refusal = begin < released;
    switch (below(reads ? 7 : 6)) {
      case 0:
        done = sink.zero(range);
        if (!refusal) std::ranges::fill(place, std::byte{0});
        break;
      case 1: {
        done = sink.trim(range);
        refusal = false;
        const auto kept = std::min(released - std::min(released, begin), range.size());
        std::ranges::fill(place.subspan(kept), std::byte{0});
        break;
      }
      case 2:
        flush(sink);
        continue;
      case 6: {
        Bytes read(range.size());
        done = sink.read(begin, read);
        // Between being let go and being sent, bytes may or may not be there still.
        if (!done) {
          RC_ASSERT(begin < released);
          RC_ASSERT(done.error().code == ErrorCode::kFailed);
        } else {
          RC_ASSERT(std::ranges::equal(read, place));
        }
        continue;
      }
      default: {
        const Bytes bytes = noise(range.size(), static_cast<unsigned>(below(1000)));
        RC_ASSERT(sink.may_write(range).has_value() == !refusal);
        done = sink.write(begin, bytes);
        if (!refusal) std::ranges::copy(bytes, place.begin());
      }
    }
    RC_ASSERT(done.has_value() == !refusal);
    if (refusal) {
      RC_ASSERT(done.error().system_errno == EPERM);
      RC_ASSERT(done.error().reason.find(std::to_string(released - begin) + " bytes") !=
                std::string::npos);
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("whatever is written, the stream is the disk, or a beginning of it and an error") {
  const auto policy = GENERATE(CommitPolicy::kWindow, CommitPolicy::kAtEnd, CommitPolicy::kAuto);
  CAPTURE(to_string(policy));
  CHECK(rc::check([policy](unsigned seed) {
    std::mt19937 random(seed);
    const std::uint64_t window = std::array<std::uint64_t, 3>{0, 300'000, 2 * kMiB}[random() % 3];
    Options wanted = options(3 * kMiB + random() % 10'000, policy, window);
    wanted.memory = 2 * kMiB;
    wanted.spill = std::filesystem::temp_directory_path();
    wanted.read_window = random() % 2 * 100'000;
    wanted.truncate = random() % 2 == 0;
    wanted.digest = random() % 2 == 0;
    ReadingPipe pipe;
    auto sink = start(pipe.in(), wanted);
    Bytes disk(wanted.size);
    const bool refused = any_requests(*sink, disk, random, random() % 2 == 0);
    RC_CLASSIFY(refused, "refused");
    const std::uint64_t let_go = sink->released();
    const auto finished = sink->finish();
    RC_ASSERT(finished.has_value() == !refused);
    if (policy == CommitPolicy::kAtEnd) RC_ASSERT(!refused);
    const auto summary = sink->summary();
    sink.reset();  // the end of the stream
    const Bytes& out = pipe.all();
    if (refused) {
      RC_ASSERT(out.size() <= let_go);
      disk.resize(out.size());
    } else if (wanted.truncate) {
      RC_ASSERT(out.size() <= disk.size());
      RC_ASSERT(std::all_of(disk.begin() + static_cast<std::ptrdiff_t>(out.size()), disk.end(),
                            [](std::byte one) { return one == std::byte{0}; }));
      disk.resize(out.size());
    }
    RC_ASSERT(out == disk);
    RC_ASSERT(summary.bytes_out == out.size());
    if (wanted.digest && !refused) {
      RC_ASSERT(summary.digest == "sha256:" + io::sha256_hex(out));
    }
  }));
}

TEST_CASE("what is written in order leaves while it is written, and little is held") {
  const auto policy = GENERATE(CommitPolicy::kWindow, CommitPolicy::kAuto);
  ReadingPipe pipe;
  auto sink = start(pipe.in(), options(32 * kMiB, policy, kMiB));
  const Bytes bytes = noise(32 * kMiB, 1);
  for (std::uint64_t at = 0; at < bytes.size(); at += 256 << 10) {
    REQUIRE(sink->wait_until_ready());
    REQUIRE(sink->write(at, std::span(bytes).subspan(at, 256 << 10)));
  }
  until_sent(*sink, 31 * kMiB);
  REQUIRE(sink->finish());
  CHECK(sink->summary().peak_held <= kMiB + Sink::kBacklog + 512 * 1024);
  CHECK(sink->summary().streamed);
  CHECK(sink->summary().spilled == 0);
  sink.reset();
  CHECK(pipe.all() == bytes);
}

TEST_CASE("the stream ends at the highest byte written when it is to") {
  ReadingPipe pipe;
  Options wanted = options(std::uint64_t{1} << 40, CommitPolicy::kAuto);
  wanted.truncate = true;
  auto sink = start(pipe.in(), wanted);
  REQUIRE(sink->write(5000, noise(10, 1)));
  REQUIRE(sink->zero({0, std::uint64_t{1} << 40}));
  REQUIRE(sink->finish());
  sink.reset();
  CHECK(pipe.all() == Bytes(5010));
}

TEST_CASE("zeros at the end of an image are part of it") {
  ReadingPipe pipe;
  Options wanted = options(std::uint64_t{1} << 40, CommitPolicy::kAuto);
  wanted.truncate = true;
  auto sink = start(pipe.in(), wanted);
  REQUIRE(sink->write(5000, noise(10, 1)));
  REQUIRE(sink->zero({5010, 9000}));
  REQUIRE(sink->trim({9000, 10'000}));
  REQUIRE(sink->finish());
  sink.reset();
  CHECK(pipe.all().size() == 9000);
}

TEST_CASE("an empty disk is an empty stream") {
  ReadingPipe pipe;
  auto sink = start(pipe.in(), options(0, CommitPolicy::kAuto));
  REQUIRE(sink->finish());
  sink.reset();
  CHECK(pipe.all().empty());
}

TEST_CASE("what was sent can be read as far as the read window reaches") {
  ReadingPipe pipe;
  Options wanted = options(4 * kMiB, CommitPolicy::kWindow);
  wanted.read_window = 100'000;
  const auto sink = start(pipe.in(), wanted);
  const Bytes bytes = noise(2 * kMiB, 1);
  REQUIRE(sink->write(0, bytes));
  until_sent(*sink, bytes.size());
  Bytes read(100'000);
  REQUIRE(sink->read(bytes.size() - read.size(), read));
  CHECK(std::ranges::equal(read, std::span(bytes).last(read.size())));
  const auto too_far = sink->read(bytes.size() - read.size() - 1, std::span(read).first(1));
  REQUIRE_FALSE(too_far);
  CHECK(too_far.error().reason.find("by 1 bytes") != std::string::npos);
  CHECK(sink->finish());  // that a read was refused is no harm
}

TEST_CASE("what has left may be discarded and not changed; the refusal stays") {
  ReadingPipe pipe;
  const auto sink = start(pipe.in(), options(4 * kMiB, CommitPolicy::kWindow, 1000));
  const Bytes bytes = noise(5000, 1);
  REQUIRE(sink->write(0, bytes));
  CHECK(sink->trim({0, 5000}));  // all that has left stays, and the last thousand bytes go
  REQUIRE_FALSE(sink->zero({3999, 4001}));
  CHECK_FALSE(sink->write(6000, bytes));
  const auto finished = sink->finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().system_errno == EPERM);
  CHECK(finished.error().reason.find("by 1 bytes") != std::string::npos);
  CHECK(finished.error().hint.find("--window") != std::string::npos);
  CHECK(finished.error().hint.find("needs --commit at-end") != std::string::npos);
  CHECK(sink->summary().window_needed == 1001);
}

TEST_CASE("a reader that goes away is an error, also when it leaves the last bytes in the pipe") {
  const std::size_t read = GENERATE(std::size_t{0}, 100'000, kMiB - 1);
  CAPTURE(read);
  ReadingPipe pipe(read);
  const auto sink = start(pipe.in(), options(kMiB, CommitPolicy::kAtEnd));
  REQUIRE(sink->write(0, noise(kMiB, 1)));
  const auto finished = sink->finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().system_errno == EPIPE);
  CHECK_FALSE(sink->write(0, noise(1, 1)));
}

TEST_CASE("a reader that takes all and goes away is none") {
  ReadingPipe pipe(kMiB);
  const auto sink = start(pipe.in(), options(kMiB, CommitPolicy::kAtEnd));
  REQUIRE(sink->write(0, noise(kMiB, 1)));
  CHECK(sink->finish());
}

TEST_CASE("a reader that reads nothing can be given up") {
  test::PipeEnds pipe;
  const std::uint64_t size = GENERATE(std::uint64_t{10}, 16 * kMiB);  // fits, and does not
  const auto sink = start(pipe.writer, options(size, CommitPolicy::kAtEnd));
  REQUIRE(sink->write(0, noise(size, 1)));
  int asked = 0;
  const auto finished = sink->finish([&] { return ++asked >= 2; });
  REQUIRE_FALSE(finished);
  CHECK(finished.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("callbacks come without a lock: they may ask the sink for anything") {
  ReadingPipe pipe;
  const auto sink = start(pipe.in(), options(8 * kMiB, CommitPolicy::kWindow));
  std::atomic<std::uint64_t> seen{0};
  sink->on_progress([&] {
    REQUIRE(sink->ready());
    REQUIRE(sink->is_sent(0));
    seen = std::max(sink->summary().bytes_out, sink->released());
  });
  const Bytes bytes = noise(2 * kMiB, 1);
  REQUIRE(sink->write(0, bytes));
  until_sent(*sink, bytes.size());
  CHECK(seen == bytes.size());
  // Once there is none, none is under way.
  sink->on_progress({});
  seen = 0;
  REQUIRE(sink->write(bytes.size(), bytes));
  until_sent(*sink, 2 * bytes.size());
  CHECK(seen == 0);
  // One may take itself away.
  sink->on_progress([&] { sink->on_progress({}); });
  REQUIRE(sink->write(2 * bytes.size(), bytes));
  CHECK(sink->finish());
}

TEST_CASE("who is asked whether to give up may ask how far the stream is") {
  test::PipeEnds pipe;
  const auto sink = start(pipe.writer, options(16 * kMiB, CommitPolicy::kAtEnd));
  REQUIRE(sink->write(0, noise(16 * kMiB, 1)));
  const auto finished = sink->finish([&] { return sink->summary().bytes_out < 16 * kMiB; });
  REQUIRE_FALSE(finished);
  CHECK(finished.error().code == ErrorCode::kInterrupted);
}

TEST_CASE("what is on its way out is no reason to refuse a write") {
  ReadingPipe pipe;
  Options wanted = options(32 * kMiB, CommitPolicy::kWindow);
  wanted.memory = 2 * kMiB;
  const auto sink = start(pipe.in(), wanted);
  const Bytes bytes = noise(32 * kMiB, 1);
  for (std::uint64_t at = 0; at < bytes.size(); at += 256 << 10) {
    REQUIRE(sink->wait_until_ready());
    REQUIRE(sink->write(at, std::span(bytes).subspan(at, 256 << 10)));
  }
  REQUIRE(sink->finish());
  CHECK(sink->summary().peak_held <= 2 * kMiB);
}

TEST_CASE("bytes that wait in a pipe are not those of a file that is given up behind them") {
  // A hole that is punched into a large page makes zeros of what is in the pipe.
  class Splices final : public io::Kernel {
   public:
    std::atomic<int> count{0};
    ssize_t splice(int from, off_t* at, int to, std::size_t size) override {
      ++count;
      return Kernel::splice(from, at, to, size);
    }
  };
  Splices kernel;
  const io::KernelOverride installed(&kernel);
  ReadingPipe pipe;
  Options wanted = options(24 * kMiB, CommitPolicy::kWindow, 8 * kMiB);
  wanted.memory = 2 * kMiB;
  wanted.spill = std::filesystem::temp_directory_path();
  auto sink = start(pipe.in(), wanted);
  const Bytes bytes = noise(24 * kMiB, 1);
  for (std::uint64_t at = 0; at < bytes.size(); at += 256 << 10) {
    REQUIRE(sink->wait_until_ready());
    REQUIRE(sink->write(at, std::span(bytes).subspan(at, 256 << 10)));
  }
  until_sent(*sink, 16 * kMiB);
  CHECK(sink->summary().spilled >= 8 * kMiB);
  CHECK(kernel.count == 0);
  REQUIRE(sink->finish());
  CHECK(kernel.count > 0);  // the rest goes the short way
  sink.reset();
  CHECK(pipe.all() == bytes);
}

TEST_CASE("after a refusal, a reader that reads nothing is not waited for") {
  test::PipeEnds pipe;
  const auto sink = start(pipe.writer, options(16 * kMiB, CommitPolicy::kWindow));
  REQUIRE(sink->write(0, noise(8 * kMiB, 1)));
  REQUIRE_FALSE(sink->write(0, noise(1, 1)));
  int asked = 0;
  const auto finished = sink->finish([&] { return ++asked >= 50; });
  REQUIRE_FALSE(finished);
  CHECK(finished.error().system_errno == EPERM);
  CHECK(asked < 50);
  CHECK(sink->summary().digest.empty());
}

TEST_CASE("a reader that has all may go before the end") {
  ReadingPipe pipe(kMiB);
  const auto sink = start(pipe.in(), options(kMiB, CommitPolicy::kWindow));
  REQUIRE(sink->write(0, noise(kMiB, 1)));
  until_sent(*sink, kMiB);
  pollfd gone{pipe.in().fd(), 0, 0};
  REQUIRE(::poll(&gone, 1, 60'000) == 1);
  CHECK(sink->check_reader());
  CHECK(sink->finish());
}

TEST_CASE("what is abandoned ends where it is") {
  ReadingPipe pipe;
  {
    const auto sink = start(pipe.in(), options(kMiB, CommitPolicy::kAuto, 10));
    REQUIRE(sink->write(0, noise(100, 1)));
    until_sent(*sink, 90);
  }
  CHECK(pipe.all().size() == 90);
}

TEST_CASE("zeros become holes in a new file, and it has its size") {
  test::TempDir dir;
  const std::string path = dir.path() + "/disk.img";
  auto file = io::File::create(path);
  REQUIRE(file);
  Options wanted = options(64 * kMiB + 5, CommitPolicy::kAuto);
  wanted.zeros = streams::Zeros::kHoles;
  const auto sink = start(*file, wanted);
  REQUIRE(sink->write(32 * kMiB, noise(10, 1)));
  REQUIRE(sink->finish());
  CHECK(file->status()->st_blocks * 512 < static_cast<std::int64_t>(kMiB));
  CHECK(file->size().value() == 64 * kMiB + 5);
  Bytes read(10);
  REQUIRE(file->read_at(32 * kMiB, read));
  CHECK(read == noise(10, 1));
}

TEST_CASE("extents tell zeros from data, and never more of them than asked for") {
  ReadingPipe pipe;
  const auto sink = start(pipe.in(), options(10 * kMiB, CommitPolicy::kWindow, kMiB));
  REQUIRE(sink->write(0, noise(2 * kMiB, 1)));
  REQUIRE(sink->write(4 * kMiB, noise(sink::HeldBlocks::kBlock, 1)));
  until_sent(*sink, 3 * kMiB);
  const auto all = sink->extents({0, 10 * kMiB}, 100);
  std::uint64_t at = 0;
  for (const auto& extent : all) at += extent.size;
  CHECK(at == 10 * kMiB);
  REQUIRE(!all.empty());
  CHECK_FALSE(all.front().zeros);
  CHECK(all.back().zeros);
  CHECK(sink->extents({0, 10 * kMiB}, 1).size() == 1);
}
