// The sink as an export, under each policy with which all of the disk can be read back.
#include <memory>

#include "shunt/serve/sink_export.h"
#include "support/catch.h"
#include "support/conformance/export.h"
#include "support/reading_pipe.h"
#include "support/temp_dir.h"

namespace shunt::serve {
namespace {

constexpr std::uint64_t kDisk = std::uint64_t{3} << 20;

// A sink with its way out, and the export of it.
struct ServedSink {
  explicit ServedSink(const sink::Options& options)
      : sink(sink::Sink::start(pipe.in(), options).value()), disk(*sink) {}

  static std::shared_ptr<nbd::Export> open(const sink::Options& options) {
    const auto all = std::make_shared<ServedSink>(options);
    return {all, &all->disk};
  }

  test::ReadingPipe pipe;
  std::unique_ptr<sink::Sink> sink;
  SinkExport disk;
};

sink::Options options_of(sink::CommitPolicy policy) {
  sink::Options options;
  options.size = kDisk;
  options.policy = policy;
  options.window = kDisk;
  return options;
}

TEST_CASE("a sink that nothing leaves is an export") {
  const auto policy =
      GENERATE(sink::CommitPolicy::kAtEnd, sink::CommitPolicy::kWindow, sink::CommitPolicy::kAuto);
  test::check_export({.open = [&] { return ServedSink::open(options_of(policy)); }});
}

TEST_CASE("a sink that looks for the end of the image is an export") {
  sink::Options options = options_of(sink::CommitPolicy::kAtEnd);
  options.truncate = true;
  test::check_export({.open = [&] { return ServedSink::open(options); }});
}

TEST_CASE("a sink that keeps most of the disk in a file is an export") {
  const test::TempDir directory;
  sink::Options options = options_of(sink::CommitPolicy::kAtEnd);
  options.memory = std::uint64_t{256} << 10;
  options.spill = directory.path();
  test::check_export({.open = [&] { return ServedSink::open(options); }});
}

}  // namespace
}  // namespace shunt::serve
