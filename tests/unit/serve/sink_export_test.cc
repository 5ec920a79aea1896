// The Sink as the disk of an NBD server.
#include "shunt/serve/sink_export.h"

#include <thread>

#include "support/catch.h"
#include "support/reading_pipe.h"

namespace {

using namespace shunt;
using serve::SinkExport;
using sink::CommitPolicy;
using sink::Sink;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

nbd::Features features_under(CommitPolicy policy, bool truncate, bool advise) {
  test::ReadingPipe pipe;
  sink::Options options;
  options.size = 40 * kMiB;
  options.policy = policy;
  options.truncate = truncate;
  options.offer_as_window = advise;
  const auto sink = Sink::start(pipe.in(), options).value();
  return SinkExport(*sink).features();
}

}  // namespace

TEST_CASE("parallel writes and quick zeros are offered where nothing leaves before the end") {
  CHECK(features_under(CommitPolicy::kAtEnd, false, false).multi_conn);
  CHECK(features_under(CommitPolicy::kAtEnd, false, false).fast_zero);
  for (const CommitPolicy policy : {CommitPolicy::kWindow, CommitPolicy::kAuto}) {
    CHECK_FALSE(features_under(policy, false, false).multi_conn);
    CHECK_FALSE(features_under(policy, false, false).fast_zero);
  }
}

TEST_CASE("a disk whose end is looked for is not zeroed as a whole") {
  CHECK(features_under(CommitPolicy::kAtEnd, true, false).multi_conn);
  CHECK_FALSE(features_under(CommitPolicy::kAtEnd, true, false).fast_zero);
}

TEST_CASE("a run that advises offers what a run with the advice would") {
  CHECK_FALSE(features_under(CommitPolicy::kAtEnd, false, true).multi_conn);
  CHECK_FALSE(features_under(CommitPolicy::kAtEnd, false, true).fast_zero);
}

TEST_CASE("a flush is done when what was let go before it has been sent") {
  test::ReadingPipe pipe;
  sink::Options options;
  options.size = 4 * kMiB;
  options.policy = CommitPolicy::kWindow;
  options.window = 0;
  const auto sink = Sink::start(pipe.in(), options).value();
  SinkExport disk(*sink);
  REQUIRE(disk.write(0, std::vector<std::byte>(kMiB, std::byte{7})));
  const std::uint64_t released = sink->released();
  REQUIRE(released > 0);
  REQUIRE(disk.start_flush());
  Result<bool> done = disk.flushed();
  for (int i = 0; i < 5000 && done && !*done; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    done = disk.flushed();
  }
  REQUIRE(done);
  CHECK(*done);
  CHECK(sink->summary().bytes_out >= released);
}
