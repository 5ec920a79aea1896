// What a fetch says of itself, and what it leaves behind.
#include "shunt/fetch/fetch.h"

#include <atomic>
#include <csignal>

#include "shunt/fetch/unsized.h"
#include "support/catch.h"
#include "support/fault_server.h"
#include "support/schemes.h"
#include "support/temp_dir.h"

namespace shunt::fetch {
namespace {

using test::BlobServerOptions;
using test::Fault;
using test::FaultServer;
using test::SeenRequest;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

source::SessionOptions with_cache(const test::TempDir& directory) {
  source::SessionOptions options;
  options.cache_dir = directory.path();
  return options;
}

Report warm(const test::TempDir& directory, const Request& request) {
  source::Session session(test::schemes(), with_cache(directory));
  return to_cache(session, request, {});
}

std::size_t entries(const test::TempDir& directory) {
  source::Session session(test::schemes(), with_cache(directory));
  return session.cache()->list().value().size();
}

TEST_CASE("a head counts as what was asked for, each byte once") {
  const test::TempDir directory;
  const FaultServer server({.size = 5 * kMiB});
  Request request;
  request.source = server.url();
  request.head = true;
  const Report cold = warm(directory, request);
  REQUIRE_FALSE(cold.error);
  CHECK(cold.bytes_requested == kMiB);
  CHECK(cold.bytes_from_cache == 0);
  CHECK(cold.bytes_fetched >= kMiB);
  const Report again = warm(directory, request);
  CHECK(again.bytes_requested == kMiB);
  CHECK(again.bytes_from_cache == kMiB);
  // A range that overlaps it is not counted again.
  request.ranges.push_back(parse_range("524288+1048576").value());
  CHECK(warm(directory, request).bytes_requested == kMiB + kMiB / 2);
}

TEST_CASE("what was there before is never more than what was asked for") {
  const test::TempDir directory;
  const FaultServer server({.size = 300'000});
  Request request;
  request.source = server.url();
  for (const char* const text : {"0-", "0-99", "0-", "200000-"}) {
    request.ranges.push_back(parse_range(text).value());
  }
  const Report cold = warm(directory, request);
  REQUIRE_FALSE(cold.error);
  CHECK(cold.bytes_requested == 700'100);
  CHECK(cold.bytes_from_cache <= cold.bytes_requested);
  CHECK(warm(directory, request).bytes_from_cache == 700'100);
}

TEST_CASE("what the server forbids to store is not there for another command") {
  const test::TempDir directory;
  std::atomic<bool> forbids{true};
  const FaultServer server({.size = 300'000}, [&](const SeenRequest&) {
    Fault fault;
    if (forbids) fault.fields.emplace_back("Cache-Control", "no-store");
    return fault;
  });
  Request request;
  request.source = server.url();
  const auto read = [&] {
    source::Session session(test::schemes(), with_cache(directory));
    const auto opened = session.open(server.url());
    std::string text(300'000, ' ');
    REQUIRE(opened);
    REQUIRE(
        opened->source->read_at(0, std::as_writable_bytes(std::span(text)), io::Caching::kKeep));
    return text;
  };
  CHECK(read() == server.bytes(0, 300'000));
  CHECK(entries(directory) == 0);
  // Not even of what was kept while it was allowed.
  forbids = false;
  CHECK(read() == server.bytes(0, 300'000));
  CHECK(entries(directory) == 1);
  forbids = true;
  CHECK(read() == server.bytes(0, 300'000));
  CHECK(entries(directory) == 0);
}

TEST_CASE("what nobody can tell the version of is not there for another command") {
  const test::TempDir directory;
  const FaultServer server({.size = 300'000, .etag = "", .last_modified = ""});
  for (int round = 0; round < 2; ++round) {
    source::Session session(test::schemes(), with_cache(directory));
    const auto opened = session.open(server.url());
    REQUIRE(opened);
    REQUIRE(opened->origin->info().validator.empty());
    std::string text(300'000, ' ');
    REQUIRE(
        opened->source->read_at(0, std::as_writable_bytes(std::span(text)), io::Caching::kKeep));
    CHECK(text == server.bytes(0, 300'000));
    CHECK(opened->bytes_fetched() >= 300'000);
  }
  CHECK(entries(directory) == 0);
}

TEST_CASE("a fetch that is stopped tells whether the next one can go on from there") {
  const auto kept_of = [](const BlobServerOptions& served, const Fault& fault,
                          bool use_cache = true) {
    const test::TempDir directory;
    const FaultServer server(served, [&](const SeenRequest&) { return fault; });
    CancelToken cancel;
    source::SessionOptions options = with_cache(directory);
    options.use_cache = use_cache;
    options.cancel = &cancel;
    // Stops it as soon as something has come.
    struct Stopping final : Progress {
      explicit Stopping(CancelToken& token) : token_(token) {}
      void begin(std::string_view, std::uint64_t) override {}
      void advance(std::uint64_t) override { token_.request(SIGINT); }
      CancelToken& token_;
    } stopping(cancel);
    source::Session session(test::schemes(), options);
    Request request;
    request.source = server.url();
    const Report report =
        to_file(session, request, directory.file("out"), {.context = {&cancel, &stopping}});
    REQUIRE(report.error);
    CHECK(report.error->code == ErrorCode::kInterrupted);
    return report.kept;
  };
  // Several of the steps in which it is delivered.
  const BlobServerOptions blob{.size = 24 * kMiB};
  CHECK(kept_of(blob, {}));
  CHECK_FALSE(kept_of(blob, {}, false));
  CHECK_FALSE(kept_of(blob, {.fields = {{"Cache-Control", "no-store"}}}));
  CHECK_FALSE(kept_of({.size = 24 * kMiB, .etag = "", .last_modified = ""}, {}));
  // Of this nothing more comes before the test is over.
  CHECK_FALSE(
      kept_of(blob, {.ignore_range = true, .no_length = true, .cut_at = 300'000, .stall = 1000}));
}

TEST_CASE("what has no size and no end is put by within a bound alone") {
  const FaultServer server({.size = std::uint64_t{1} << 60}, [](const SeenRequest&) {
    return Fault{.ignore_range = true, .no_length = true};
  });
  source::SessionOptions options;
  options.use_cache = false;
  source::Session session(test::schemes(), options);
  const auto opened = session.open(server.url(), "", source::IfUnsized::kLeave);
  REQUIRE(opened);
  REQUIRE(opened->unsized != nullptr);
  CHECK(opened->source == nullptr);
  io::SourcePtr source;
  const source::UnsizedRead read = source::spool_unsized(*opened->unsized, source, 3 * kMiB);
  REQUIRE_FALSE(read.outcome);
  CHECK(read.outcome.error().code == ErrorCode::kCorrupt);
  CHECK(read.outcome.error().reason.find("does not tell its size") != std::string::npos);
  CHECK(source == nullptr);
  CHECK(read.size <= 3 * kMiB);
}

}  // namespace
}  // namespace shunt::fetch
