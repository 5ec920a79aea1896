// Downloads of ranges: what answers are believed, and what happens when they break off.
#include <ctime>

#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

// ---- ranges -----------------------------------------------------------------------------------

TEST_CASE("a range arrives in order, and is asked for with If-Range") {
  Run run({});
  REQUIRE(run.go());
  run.check_range_arrived();
  const SeenRequest seen = run.server.requests().at(0);
  CHECK(seen.field("range") == "bytes=1000-899999");
  CHECK(seen.field("if-range") == "\"v1\"");
  CHECK_FALSE(seen.has("accept-encoding"));
  CHECK(run.origin->traffic().bytes == run.range.size());
  CHECK(run.origin->traffic().data_requests == 1);
}

TEST_CASE("If-Range: the date where there is no ETag, nothing for blobs with a digest") {
  Run dated({});
  dated.info.validator = "Tue, 01 Jan 2019 00:00:00 GMT";
  REQUIRE(dated.go());
  CHECK(dated.server.requests().at(0).field("if-range") == dated.info.validator);

  // Servers that share the work for a digest may differ in their ETags.
  Run digest(std::vector<Fault>{{.etag = "\"of another machine\""}});
  digest.info.digest = "sha256:0";
  REQUIRE(digest.go());
  CHECK_FALSE(digest.server.requests().at(0).has("if-range"));
  CHECK_FALSE(digest.origin->has_changed());
}

TEST_CASE("wrong answers to a range are asked for again, and fail in the end") {
  const std::vector<Fault> wrong = {
      {.start_off = 1},
      {.start_off = -1},
      {.end_off = -1},
      {.end_off = 1},
      {.total_off = 1},
      {.status = 206, .body_text = "no Content-Range"},
      {.status = 206, .body_text = "x", .fields = {{"Content-Range", "bytes 1000-899999/1048576"}}},
      {.status = 206, .body_text = "x", .fields = {{"Content-Range", "pages 1-2/3"}}}};
  for (const Fault& fault : wrong) {
    Run once({fault});
    CHECK(once.go());
    once.check_range_arrived();
    CHECK(once.origin->traffic().retries == 1);
    Run always(times(10, fault));
    const auto outcome = always.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kCorrupt);
    CHECK(always.sink.received.empty());
    CHECK(always.server.requests().size() == 4);
  }
}

TEST_CASE("a part that is shorter than what was asked for is taken, and the rest asked for") {
  std::vector<Fault> script;
  for (std::uint64_t at = 1000; at < 21'000; at += 2000) {
    script.push_back(
        {.status = 206,
         .body_text = test::blob_bytes(1, at, at + 2000),
         .fields = {{"Content-Range", fmt::format("bytes {}-{}/1048576", at, at + 1999)}}});
  }
  Run run(script);
  run.blob.retry.attempts = 1;
  REQUIRE(run.go());
  run.check_range_arrived();
  CHECK(run.origin->traffic().retries == 0);
  CHECK(run.server.requests().size() == 11);
  CHECK(run.server.requests().at(1).field("range") == "bytes=3000-899999");
}

TEST_CASE("several parts, and compressed bodies, are errors") {
  for (const Fault& fault :
       {Fault{.multipart = true}, Fault{.fields = {{"Content-Encoding", "gzip"}}},
        Fault{.ignore_range = true, .fields = {{"Content-Encoding", "gzip"}}}}) {
    Run run({fault});
    const auto outcome = run.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kNetwork);
    CHECK(run.sink.received.empty());
    FaultServer server({.size = kSize}, std::vector<Fault>{fault});
    CHECK_FALSE(open_blob(run.client, blob_at(server.url()), {}));
  }
  Run identity(std::vector<Fault>{{.fields = {{"Content-Encoding", "identity"}}}});
  CHECK(identity.go());
}

TEST_CASE("200 to a range: the whole is delivered from its start") {
  Run run(std::vector<Fault>{{.ignore_range = true}});
  REQUIRE(run.go());
  CHECK(run.sink.first == 0u);
  CHECK((run.sink.received == run.server.bytes(0, kSize)));
  CHECK_FALSE(run.origin->serves_ranges());

  Run all(std::vector<Fault>{{.ignore_range = true}}, {0, kSize});  // that was no part
  REQUIRE(all.go());
  CHECK(all.origin->serves_ranges());
}

TEST_CASE("200 to a range, cut: no byte comes twice") {
  const Fault cut{.ignore_range = true, .cut_at = 300'000, .reset = true};
  for (const Fault& second : {Fault{.ignore_range = true}, Fault()}) {
    Run run({cut, second});
    REQUIRE(run.go());
    CHECK(run.sink.first == 0u);
    CHECK((run.sink.received == run.server.bytes(0, kSize)));
  }
}

TEST_CASE("206, cut, then 200: what was delivered is skipped, what is too much is left") {
  Run run(std::vector<Fault>{{.cut_at = 100'000}, {.ignore_range = true}});
  REQUIRE(run.go());
  run.check_range_arrived();
  CHECK_FALSE(run.origin->serves_ranges());
  // The blob's last 148,576 bytes are not read.
  CHECK(run.origin->traffic().bytes < 1'050'000);
}

TEST_CASE("416 tells the sizes") {
  Run run(std::vector<Fault>{{.status = 416, .fields = {{"Content-Range", "bytes */500"}}}});
  const auto shrunk = run.go();
  REQUIRE_FALSE(shrunk);
  CHECK(shrunk.error().code == ErrorCode::kNetwork);
  CHECK(shrunk.error().reason.find("500") != std::string::npos);
  CHECK(shrunk.error().reason.find("1048576") != std::string::npos);
  CHECK(run.origin->has_changed());
  Run same(std::vector<Fault>{{.status = 416}});
  const auto refused = same.go();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason.find("1000-899999") != std::string::npos);
  CHECK_FALSE(same.origin->has_changed());
}

// ---- another version --------------------------------------------------------------------------

TEST_CASE("another version is noticed, whichever way it shows") {
  const std::vector<Fault> changes = {
      {.etag = "\"v2\""},                            // If-Range makes it a 200
      {.ignore_condition = true, .etag = "\"v2\""},  // a 206 of another version
      {.ignore_range = true, .etag = "\"v2\""},
      {.ignore_range = true, .etag = "-"},  // of whichever version
      {.ignore_range = true, .etag = "-", .last_modified = "-"},
      {.ignore_condition = true, .total_off = 1, .etag = "\"v2\""},
      {.status = 200, .body_text = "shorter", .etag = "\"v1\""}};
  for (const Fault& fault : changes) {
    Run run(std::vector<Fault>{{.cut_at = 100'000}, fault});
    const auto outcome = run.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kNetwork);
    CHECK(outcome.error().reason == "it has changed on the server");
    CHECK(outcome.error().hint == "run again");
    CHECK(run.origin->has_changed());
    CHECK((run.sink.received == run.server.bytes(1000, 101'000)));
    CHECK(run.server.requests().size() == 2);
  }
  for (const Fault& fault :
       {Fault{.last_modified = "Tue, 01 Jan 2019 00:00:01 GMT"},
        Fault{.ignore_condition = true, .last_modified = "Tue, 01 Jan 2019 00:00:01 GMT"}}) {
    Run run({fault});
    run.info.validator = "Tue, 01 Jan 2019 00:00:00 GMT";
    CHECK_FALSE(run.go());
    CHECK(run.origin->has_changed());
  }
  Run weakened(std::vector<Fault>{{.ignore_condition = true, .etag = "W/\"v1\""}});
  CHECK(weakened.go());
}

TEST_CASE("an answer of another size changes nothing about a blob with a digest") {
  const std::vector<Fault> odd = {
      {.status = 200, .body_text = "the proxy regrets"},
      {.status = 416, .fields = {{"Content-Range", "bytes */500"}}},
      {.status = 206, .body_text = "x", .fields = {{"Content-Range", "bytes 1000-1000/5000"}}},
      {.total_off = 1, .etag = "-", .last_modified = "-"}};
  for (const Fault& fault : odd) {
    Run once({fault});
    once.info.digest = "sha256:0";
    once.info.validator.clear();
    CHECK(once.go());
    once.check_range_arrived();
    CHECK(once.origin->traffic().retries == 1);
    CHECK_FALSE(once.origin->has_changed());
    Run always(times(10, fault));
    always.info.digest = "sha256:0";
    always.info.validator.clear();
    CHECK_FALSE(always.go());
    CHECK(always.sink.received.empty());
    CHECK(always.server.requests().size() == 2);  // the same again is no accident
    CHECK_FALSE(always.origin->has_changed());
  }
}

TEST_CASE("versions are not mixed where nothing but weak validators tell them apart") {
  const std::string date = "Tue, 01 Jan 2019 00:00:00 GMT";
  const std::string later = "Tue, 01 Jan 2019 00:00:01 GMT";
  const std::vector<Fault> kinds = {{.etag = "W/\"1\"", .last_modified = "-"},
                                    {.etag = "-", .fields = {{"Date", date}}}};
  const std::vector<Fault> others = {{.etag = "W/\"2\"", .last_modified = "-"},
                                     {.etag = "-", .last_modified = later}};
  const Fault silent{.etag = "-", .last_modified = "-"};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    FaultServer server({.size = kSize}, std::vector<Fault>{kinds[i], kinds[i], silent, others[i]});
    const auto opened = open_blob(start_client(), blob_at(server.url()), {});
    REQUIRE(opened);
    REQUIRE(opened->origin->info().validator.empty());
    for (int same = 0; same < 2; ++same) {
      Sink sink;
      CHECK(download(*opened->origin, {1000, 2000}, sink));
      CHECK_FALSE(opened->origin->has_changed());
    }
    Sink sink;
    CHECK_FALSE(download(*opened->origin, {1000, 2000}, sink));
    CHECK(opened->origin->has_changed());
    CHECK(sink.received.empty());

    Run assumed({kinds[i], others[i]});  // the first answer is of a download
    assumed.info.validator.clear();
    REQUIRE(assumed.go());
    Sink second;
    CHECK_FALSE(download(*assumed.origin, {1000, 2000}, second));
    CHECK(assumed.origin->has_changed());
  }
}

// ---- retry and resume -------------------------------------------------------------------------

TEST_CASE("what breaks off is resumed where it was") {
  const std::vector<Fault> faults = {{.cut_at = 100'000}, {.cut_at = 200'000, .reset = true},
                                     {.no_answer = true}, {.cut_at = 0},
                                     {.status = 503},     {.cut_at = 1}};
  Run run(faults);
  run.blob.retry.attempts = 5;
  REQUIRE(run.go());
  run.check_range_arrived();
  CHECK(run.origin->traffic().retries == 6);
  CHECK(run.origin->traffic().requests == 7);
  CHECK(run.server.requests().at(1).field("range") == "bytes=101000-899999");
  CHECK(run.server.requests().at(6).field("range") == "bytes=301001-899999");
}

TEST_CASE("errors tell the numbers of the answer that they are about") {
  const std::string short_whole =
      "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\n\r\n";
  auto script = times(5, {.raw = short_whole});
  script.insert(script.begin(), {.cut_at = 100'000});
  Run run(script);
  const auto cut = run.go();
  REQUIRE_FALSE(cut);
  CHECK(cut.error().reason.starts_with("the answer ended at byte 5 instead of 900000"));

  // A blob that grows smaller with each question.
  FaultServer server({.size = kSize}, [](const SeenRequest& seen) {
    const auto total = 5000 - 1000 * seen.number;
    return Fault{.status = 416, .fields = {{"Content-Range", fmt::format("bytes */{}", total)}}};
  });
  HttpBlob blob = blob_at(server.url());
  blob.retry.attempts = 1;
  const auto refused = open_blob(run.client, blob, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "the server refuses bytes 0-3999 of 3000 (416)");

  FaultServer wrong({.size = kSize}, [](const SeenRequest&) {
    return Fault{.status = 206,
                 .body_text = "short",
                 .fields = {{"Content-Range", "bytes 0-65535/1048576"}}};
  });
  blob.url = wrong.url();
  const auto length = open_blob(run.client, blob, {});
  REQUIRE_FALSE(length);
  CHECK(length.error().reason == "a body of 5 bytes for a request of 65536");
}

TEST_CASE("a silent server is asked again") {
  Run run(std::vector<Fault>{{.cut_at = 50'000, .stall = 5}, {.latency = 5}});
  run.client = start_client({.stall_timeout = 0.15, .answer_timeout = 0.15});
  REQUIRE(run.go());
  run.check_range_arrived();
}

TEST_CASE("statuses that may pass are asked again, others are not") {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    Run run(std::vector<Fault>{{.status = status, .body_text = "later"}});
    INFO(status);
    CHECK(run.go());
    CHECK(run.origin->traffic().retries == 1);
    Run always(times(10, {.status = status}));
    const auto outcome = always.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kNetwork);
    CHECK(outcome.error().reason.find(std::to_string(status)) != std::string::npos);
    CHECK(always.server.requests().size() == 4);
  }
  for (const int status : {204, 300, 304, 400, 401, 403, 404, 405, 410, 418, 501}) {
    Run run(times(10, {.status = status}));
    INFO(status);
    const auto outcome = run.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::kNetwork);
    CHECK(outcome.error().path == run.server.url());
    CHECK(outcome.error().reason.find(std::to_string(status)) != std::string::npos);
    CHECK(run.server.requests().size() == 1);
  }
}

TEST_CASE("patience starts afresh with each new byte, but not for ever") {
  Run patient(times(12, {.cut_at = 10}));
  CHECK(patient.go());
  patient.check_range_arrived();
  Run endless(times(1000, {.cut_at = 10}));
  const auto outcome = endless.go();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kNetwork);
  CHECK(endless.server.requests().size() == 101);
}

TEST_CASE("Retry-After is obeyed, in seconds and as a date, as far as patience goes") {
  const auto after = [](const std::string& value) {
    return Fault{.status = 429, .fields = {{"Retry-After", value}}};
  };
  Run run({after("1")});
  run.blob.retry.longest_delay = 5;
  REQUIRE(run.go());
  const auto seen = run.server.requests();
  CHECK(seen.at(1).when - seen.at(0).when >= 1s);

  char date[64];
  const std::time_t later = std::time(nullptr) + 3600;
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&later));
  for (const std::string& value : {std::string("3600"), std::string(date)}) {
    Run impatient({after(value)});
    const auto outcome = impatient.go();
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().reason.find("asks to wait for 3") != std::string::npos);
    CHECK(impatient.server.requests().size() == 1);
  }
}

TEST_CASE("an error of the receiver is final") {
  Run run({});
  run.sink.refuse_after = 1;
  const auto outcome = run.go();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kCorrupt);
  CHECK(outcome.error().reason == "refused");
  CHECK(run.server.requests().size() == 1);
}

}  // namespace
}  // namespace shunt::http_blob
