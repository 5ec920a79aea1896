// Blobs of which neither a digest nor the server tells versions apart: nothing is joined that may
// be of two versions.
#include "shunt/http_blob/prefix_check.h"
#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

const BlobServerOptions kSilent{.size = kSize, .etag = "-", .last_modified = "-"};
// The one bit in which a version that is `corrupt` differs.
constexpr std::uint64_t kMiddle = kSize / 2;

// Downloads a part of such a blob, from a server with a script for the answers behind the first.
struct SilentRun {
  explicit SilentRun(std::vector<Fault> script) : server(kSilent, with_opening(std::move(script))) {
    auto found = open_blob(client, blob_at(server.url()), {});
    REQUIRE(found);
    opened = std::move(*found);
  }
  Result<void> go() { return download(*opened.origin, {1000, 900'000}, sink); }

  static std::vector<Fault> with_opening(std::vector<Fault> script) {
    script.insert(script.begin(), Fault());
    return script;
  }

  std::shared_ptr<http::Client> client = start_client();
  FaultServer server;
  OpenedBlob opened;
  Sink sink;
};

TEST_CASE("without anything to tell versions by, all comes in one answer") {
  SilentRun run({});
  CHECK(run.opened.head.empty());
  CHECK_FALSE(run.opened.origin->serves_ranges());
  REQUIRE(run.go());
  CHECK(run.sink.first == 0u);
  CHECK((run.sink.received == run.server.bytes(0, kSize)));
  REQUIRE(run.server.requests().size() == 2);
  CHECK_FALSE(run.server.requests().at(1).has("range"));
  CHECK_FALSE(run.server.requests().at(1).has("if-range"));

  FaultServer small({.size = 1000, .etag = "-", .last_modified = "-"});
  const auto all = open_blob(run.client, blob_at(small.url()), {});
  REQUIRE(all);
  CHECK(text_of(all->head) == small.bytes(0, 1000));
}

TEST_CASE("a weak ETag, a young date or a digest is something to tell versions by") {
  const std::vector<Fault> kinds = {{.etag = "W/\"1\""},
                                    {.last_modified = "Tue, 01 Jan 2019 00:00:00 GMT",
                                     .fields = {{"Date", "Tue, 01 Jan 2019 00:00:00 GMT"}}}};
  const auto client = start_client();
  for (const Fault& kind : kinds) {
    FaultServer server(kSilent, [&](const SeenRequest&) { return kind; });
    const auto opened = open_blob(client, blob_at(server.url()), {});
    REQUIRE(opened);
    CHECK(opened->head.size() == kHeadSize);
    CHECK(opened->origin->serves_ranges());
  }
  FaultServer server(kSilent);
  HttpBlob blob = blob_at(server.url());
  blob.digest = "sha256:0";
  const auto opened = open_blob(client, blob, {});
  REQUIRE(opened);
  CHECK(opened->head.size() == kHeadSize);
  CHECK(opened->origin->serves_ranges());
}

TEST_CASE("what broke off goes on when the same bytes come again, and no byte is delivered twice") {
  SilentRun run({{.cut_at = 300'000, .reset = true},
                 {.cut_at = 100},
                 {.no_answer = true},
                 {.cut_at = kMiddle},
                 {.status = 503},
                 {.no_length = true, .cut_at = 600'000}});
  REQUIRE(run.go());
  CHECK(run.sink.first == 0u);
  CHECK((run.sink.received == run.server.bytes(0, kSize)));
  CHECK_FALSE(run.opened.origin->has_changed());
  for (const SeenRequest& seen : run.server.requests())
    CHECK(seen.has("range") == (seen.number == 0));
}

TEST_CASE("what broke off is not joined to another version") {
  // In the middle of a chunk, at the end of the one that differs, and just behind what differs.
  for (const std::uint64_t cut :
       {std::uint64_t{600'000}, kMiddle + SeenChunks::kSize, kMiddle + 1}) {
    INFO(cut);
    SilentRun run({{.cut_at = cut}, {.corrupt = true}});
    const auto outcome = run.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kNetwork);
    CHECK(outcome.error().reason == "it has changed on the server");
    CHECK(outcome.error().hint == "run again");
    CHECK(run.opened.origin->has_changed());
    CHECK((run.sink.received == run.server.bytes(0, cut)));
    CHECK(run.server.requests().size() == 3);
  }
  // What has come of the first is the beginning of the second as well.
  SilentRun prefix({{.cut_at = kMiddle}, {.corrupt = true}});
  CHECK(prefix.go());
  // Shorter answers in between do not make it forget.
  SilentRun thrice({{.cut_at = kMiddle + 1}, {.cut_at = 1000}, {.corrupt = true}});
  CHECK_FALSE(thrice.go());
}

TEST_CASE("downloads after one another are of one version") {
  SilentRun run({{}, {}, {.corrupt = true}});
  REQUIRE(run.go());
  Sink second;
  CHECK(download(*run.opened.origin, {5, 10}, second));
  CHECK((second.received == run.server.bytes(0, kSize)));
  Sink third;
  const auto outcome = download(*run.opened.origin, {5, 10}, third);
  REQUIRE_FALSE(outcome);
  CHECK(run.opened.origin->has_changed());
  // Of the chunk that differs, its end has not been delivered.
  CHECK(third.received.size() < kMiddle + SeenChunks::kSize);
}

TEST_CASE("another size is another version, and a part is no answer to a request for all") {
  SilentRun shorter({{.status = 200, .body_text = "shorter"}});
  CHECK_FALSE(shorter.go());
  CHECK(shorter.opened.origin->has_changed());
  for (const int status : {206, 304, 416}) {
    SilentRun odd({{.status = status,
                    .body_text = "x",
                    .fields = {{"Content-Range", "bytes 0-1048575/1048576"}}}});
    const auto outcome = odd.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().reason.find(std::to_string(status)) != std::string::npos);
    CHECK(odd.sink.received.empty());
  }
}

}  // namespace
}  // namespace shunt::http_blob
