// Opening blobs, and bodies of unknown size.
#include <ctime>

#include "support/waiting.h"
#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

TEST_CASE("opening tells size, validator and freshness, and brings the first bytes") {
  FaultServer server({.size = kSize},
                     std::vector<Fault>{{.fields = {{"Cache-Control", "max-age=1000"}}}});
  const auto opened = open_blob(start_client(), blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == kSize);
  CHECK(opened->origin->info().validator == "\"v1\"");
  CHECK(opened->origin->info().name == server.url());
  CHECK(opened->origin->info().freshness.seconds == 1000);
  CHECK(opened->origin->info().freshness.since >= std::time(nullptr) - 10);
  CHECK(opened->head.size() == kHeadSize);
  CHECK((text_of(opened->head) == server.bytes(0, kHeadSize)));
  CHECK_FALSE(opened->unchanged);
  CHECK(opened->origin->serves_ranges());
  CHECK(server.requests().at(0).field("range") == "bytes=0-65535");
  const blob::Traffic traffic = opened->origin->traffic();
  CHECK(traffic.requests == 1);
  CHECK(traffic.data_requests == 1);
  CHECK(traffic.retries == 0);
  CHECK(traffic.bytes == kHeadSize);
}

TEST_CASE("small and empty blobs") {
  for (const std::uint64_t size : {std::uint64_t{100}, std::uint64_t{0}}) {
    for (const bool whole : {false, true}) {
      FaultServer server({.size = size}, std::vector<Fault>{{.ignore_range = whole}});
      const auto opened = open_blob(start_client(), blob_at(server.url()), {});
      REQUIRE(opened);
      REQUIRE(opened->origin);
      CHECK(opened->origin->info().size == size);
      CHECK(opened->head.size() == size);
      CHECK(server.requests().size() == 1);
    }
  }
}

TEST_CASE("a server that ignores ranges is noticed, and not listened to for the whole blob") {
  std::promise<std::uint64_t> sent_later;
  FaultServer server(
      {.size = 100 << 20}, [](const SeenRequest&) { return Fault{.ignore_range = true}; },
      [&](const SeenRequest&, int /*status*/, std::uint64_t sent) { sent_later.set_value(sent); });
  const auto opened = open_blob(start_client(), blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == 100 << 20);
  CHECK(opened->head.size() == kHeadSize);
  CHECK_FALSE(opened->origin->serves_ranges());
  CHECK(opened->origin->traffic().bytes == kHeadSize);
  CHECK(sent_later.get_future().get() < 50 << 20);
}

TEST_CASE("a weak ETag is no validator, a date is one unless it is too young") {
  const std::string now = "Tue, 01 Jan 2019 00:00:00 GMT";
  FaultServer server(
      {.size = 100},
      std::vector<Fault>{{.etag = "W/\"v1\""},
                         {.etag = "-", .fields = {{"Date", "Tue, 01 Jan 2019 00:00:01 GMT"}}},
                         {.etag = "-", .fields = {{"Date", now}}},
                         {.etag = "-", .last_modified = "yesterday"}});
  const auto client = start_client();
  const std::vector<std::string> expected = {now, now, "", ""};
  for (const std::string& validator : expected) {
    const auto opened = open_blob(client, blob_at(server.url()), {});
    REQUIRE(opened);
    CHECK(opened->origin->info().validator == validator);
  }
}

TEST_CASE("what is known already is asked about, and may be unchanged") {
  FaultServer server({.size = kSize},
                     std::vector<Fault>{{.fields = {{"Cache-Control", "max-age=500"}}},
                                        {.etag = "-"},
                                        {.ignore_condition = true},
                                        {.etag = "\"v2\""}});
  const auto client = start_client();
  blob::Info known = info_of();

  const auto unchanged = open_blob(client, blob_at(server.url()), known);
  REQUIRE(unchanged);
  CHECK(unchanged->unchanged);
  CHECK(unchanged->head.empty());
  CHECK(unchanged->origin->info().size == kSize);
  CHECK(unchanged->origin->info().validator == known.validator);
  CHECK(unchanged->origin->info().freshness.seconds == 500);
  CHECK(unchanged->origin->traffic().requests == 1);
  CHECK(unchanged->origin->traffic().data_requests == 0);
  CHECK(server.requests().at(0).field("if-none-match") == "\"v1\"");

  known.validator = "Tue, 01 Jan 2019 00:00:00 GMT";
  CHECK(open_blob(client, blob_at(server.url()), known)->unchanged);
  CHECK_FALSE(server.requests().at(1).has("if-modified-since"));
  CHECK(server.requests().at(1).field("range") == "bytes=0-0");

  known.validator = "\"v1\"";  // 206 all the same, of the same version
  const auto again = open_blob(client, blob_at(server.url()), known);
  REQUIRE(again);
  CHECK(again->unchanged);
  CHECK(again->head.size() == kHeadSize);

  const auto changed = open_blob(client, blob_at(server.url()), known);
  REQUIRE(changed);
  CHECK_FALSE(changed->unchanged);
  CHECK(changed->origin->info().validator == "\"v2\"");
}

TEST_CASE("an older date is another version, and so is another size") {
  const std::string date = "Tue, 01 Jan 2019 00:00:00 GMT";
  blob::Info known = info_of();
  known.validator = date;
  const auto unchanged_with = [&](const Fault& fault, std::uint64_t size = kSize) {
    FaultServer server({.size = size, .etag = "-"}, std::vector<Fault>{fault});
    const auto opened = open_blob(start_client(), blob_at(server.url()), known);
    REQUIRE(opened);
    CHECK(opened->origin->info().size == size);
    return opened->unchanged;
  };
  CHECK(unchanged_with({}));
  CHECK(unchanged_with({.ignore_range = true}));
  CHECK_FALSE(unchanged_with({.last_modified = "Mon, 01 Jan 2018 00:00:00 GMT"}));
  CHECK_FALSE(unchanged_with({.last_modified = "Wed, 01 Jan 2020 00:00:00 GMT"}));
  CHECK_FALSE(unchanged_with({.last_modified = "-"}));
  CHECK_FALSE(unchanged_with({}, kSize - 1));
  CHECK_FALSE(unchanged_with({.ignore_range = true}, kSize - 1));
}

TEST_CASE("an answer of 304 that shows another ETag, or was not asked for, is not believed") {
  const auto opened_with = [](const blob::Info& known, const Fault& fault) {
    FaultServer server({.size = kSize}, std::vector<Fault>{fault});
    const auto opened = open_blob(start_client(), blob_at(server.url()), known);
    REQUIRE(opened);
    CHECK(server.requests().back().has("if-none-match") == opened->unchanged);
    return opened->unchanged;
  };
  blob::Info known = info_of();
  CHECK(opened_with(known, {.status = 304}));
  CHECK(opened_with(known, {.status = 304, .etag = "-"}));
  CHECK(opened_with(known, {.status = 304, .etag = "W/\"v1\""}));
  CHECK_FALSE(opened_with(known, {.status = 304, .etag = "\"v2\""}));
  CHECK_FALSE(opened_with(known, {.status = 304, .fields = {{"ETag", "\"v2\""}}}));
  known.validator = "Mon, 01 Jan 2018 00:00:00 GMT";
  CHECK_FALSE(opened_with(known, {.status = 304}));
}

TEST_CASE("an ETag that is empty, malformed or there twice is none") {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const auto validator_with = [](const std::string& etag, const Fields& more) {
    FaultServer server({.size = 100}, std::vector<Fault>{{.etag = etag, .fields = more}});
    const auto opened = open_blob(start_client(), blob_at(server.url()), {});
    REQUIRE(opened);
    return opened->origin->info().validator;
  };
  const std::string date = "Tue, 01 Jan 2019 00:00:00 GMT";
  CHECK(validator_with("\"v1\"", {{"ETag", "\"v1\""}}) == "\"v1\"");
  CHECK(validator_with("\"v1\"", {{"ETag", "\"v2\""}}) == date);
  CHECK(validator_with("\"\"", {}) == date);
  CHECK(validator_with("v1", {}) == date);
  CHECK(validator_with("-", {{"Last-Modified", "Mon, 01 Jan 2018 00:00:00 GMT"}}).empty());
  // Nothing but an empty ETag: nothing tells versions apart, so that nothing is joined.
  FaultServer server({.size = kSize, .etag = "\"\"", .last_modified = "-"});
  const auto opened = open_blob(start_client(), blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().validator.empty());
  CHECK_FALSE(opened->origin->serves_ranges());
}

TEST_CASE("fields that contradict one another make nothing fresh") {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const auto fresh_with = [](const Fields& fields) {
    FaultServer server({.size = 100}, std::vector<Fault>{{.fields = fields}});
    const auto opened = open_blob(start_client(), blob_at(server.url()), {});
    REQUIRE(opened);
    return opened->origin->info().freshness.seconds;
  };
  CHECK(fresh_with({{"Cache-Control", "max-age=100"}, {"Cache-Control", "public"}}) == 100);
  CHECK(fresh_with({{"Cache-Control", "max-age=100"}, {"Cache-Control", "max-age=7"}}) == 7);
  CHECK(fresh_with({{"Cache-Control", "max-age=100"}, {"Cache-Control", "no-cache"}}) == 0);
  CHECK(fresh_with({{"Cache-Control", "max-age=100"}, {"Age", "10"}}) == 90);
  CHECK(fresh_with({{"Cache-Control", "max-age=100"}, {"Age", "10"}, {"Age", "20"}}) == 0);
  CHECK(fresh_with({{"Cache-Control", "max-age=100"}, {"Date", "Tue, 01 Jan 2019 00:00:00 GMT"}}) ==
        0);
  const std::string later = "Wed, 01 Jan 2120 00:00:00 GMT";
  CHECK(fresh_with({{"Expires", later}}) > 1000);
  CHECK(fresh_with({{"Expires", later}, {"Expires", "0"}}) == 0);
  CHECK(fresh_with({{"Expires", later}, {"Pragma", "no-cache"}}) == 0);
}

TEST_CASE("a copy is fresh for as long as the redirect to it says, too") {
  const auto fresh_through = [](std::vector<std::pair<std::string, std::string>> redirect) {
    redirect.emplace_back("Location", "/there");
    FaultServer server({.size = 100}, [&](const SeenRequest& request) {
      if (request.target == "/there") return Fault{.fields = {{"Cache-Control", "max-age=1000"}}};
      return Fault{.status = 302, .fields = redirect};
    });
    const auto opened = open_blob(start_client(), blob_at(server.url()), {});
    REQUIRE(opened);
    CHECK_FALSE(opened->origin->info().place.empty());
    return opened->origin->info().freshness.seconds;
  };
  CHECK(fresh_through({}) == 0);
  CHECK(fresh_through({{"Cache-Control", "no-cache"}}) == 0);
  CHECK(fresh_through({{"Cache-Control", "max-age=60"}}) == 60);
  CHECK(fresh_through({{"Cache-Control", "max-age=5000"}}) == 1000);
}

TEST_CASE("the ETag of one resource says nothing of another that the URL leads to now") {
  std::string leads_to = "/one";
  FaultServer server({.size = kSize}, [&](const SeenRequest& request) {
    if (request.target != "/blob") return Fault{};
    return Fault{.status = 302, .fields = {{"Location", leads_to}}};
  });
  const auto client = start_client();
  const auto open = [&](const std::optional<blob::Info>& known) {
    auto opened = open_blob(client, blob_at(server.url()), known);
    REQUIRE(opened);
    return *opened;
  };
  const blob::Info known = open({}).origin->info();
  CHECK(open(known).unchanged);
  leads_to = "/two";
  CHECK_FALSE(open(known).unchanged);
  CHECK_FALSE(server.requests().back().has("if-none-match"));
  // A signature changes with each visit, and the host from mirror to mirror.
  leads_to = "/signed?X-Amz-Date=1&X-Amz-Signature=abc";
  const blob::Info by_signature = open({}).origin->info();
  leads_to = "http://localhost:" + std::to_string(server.port()) +
             "/signed?X-Amz-Date=2&X-Amz-Signature=xyz";
  CHECK(open(by_signature).unchanged);
  leads_to = "/file?number=1";
  const blob::Info by_query = open({}).origin->info();
  leads_to = "/file?number=2";
  CHECK_FALSE(open(by_query).unchanged);
}

TEST_CASE("who asks is told apart by whatever may decide what comes") {
  const auto asker = [](const std::string& url, std::vector<http::Field> fields = {}) {
    HttpBlob blob;
    blob.url = url;
    blob.fields = std::move(fields);
    return asker_of(blob);
  };
  CHECK(asker("http://host/x").empty());
  CHECK(asker("http://host/x?token=1").empty());  // in the URL itself
  // What shunt sets by itself is nobody's.
  CHECK(asker("http://host/x", {{"Range", "bytes=0-1"}, {"if-none-match", "*"}}).empty());
  const std::string alice = asker("http://alice:sesame@host/x");
  CHECK_FALSE(alice.empty());
  CHECK(alice != asker("http://alice:other@host/x"));
  CHECK(alice != asker("http://bob:sesame@host/x"));
  CHECK_FALSE(asker("http://:sesame@host/x").empty());
  CHECK(alice == asker("http://host/x", {{"authorization", " Basic YWxpY2U6c2VzYW1l"}}));
  CHECK(asker("http://host/x", {{"Cookie", "a=1"}}) != asker("http://host/x", {{"Cookie", "a=2"}}));
  CHECK(asker("http://host/x", {{"A", "1"}, {"B", "2"}}) ==
        asker("http://host/x", {{"b", "2"}, {"a", "1"}}));
}

TEST_CASE("an answer that depends on the request is not fresh for another") {
  struct Case {
    std::vector<std::string> vary;
    bool fresh;
  };
  const std::vector<Case> cases = {{{}, true},
                                   {{"accept-encoding"}, true},
                                   {{"Accept-Encoding,, accept-encoding "}, true},
                                   {{"*"}, false},
                                   {{"Cookie"}, false},
                                   {{"Accept-Encoding, Authorization"}, false},
                                   {{"Accept-Encoding", "Origin"}, false}};
  const auto client = start_client();
  for (const auto& [vary, fresh] : cases) {
    Fault fault{.fields = {{"Cache-Control", "max-age=1000"}}};
    for (const std::string& value : vary) fault.fields.emplace_back("Vary", value);
    FaultServer server({.size = 1000}, [&](const SeenRequest&) { return fault; });
    const auto fresh_with = [&](std::vector<http::Field> fields,
                                const std::optional<blob::Info>& known) {
      HttpBlob blob = blob_at(server.url());
      blob.fields = std::move(fields);
      const auto opened = open_blob(client, blob, known);
      REQUIRE(opened);
      CHECK(opened->unchanged == known.has_value());
      return opened->origin->info().freshness.seconds != 0;
    };
    CHECK(fresh_with({}, {}) == fresh);
    CHECK(fresh_with({}, info_of(1000)) == fresh);
    CHECK_FALSE(fresh_with({{"Cookie", "who=me"}}, {}));
    CHECK_FALSE(fresh_with({{"Cookie", "who=me"}}, info_of(1000)));
  }
}

TEST_CASE("a server that forbids to store is told of, whatever else its answer says") {
  struct Case {
    std::vector<std::string> cache_control;
    bool no_store;
  };
  const std::vector<Case> cases = {{{}, false},
                                   {{"no-cache"}, false},
                                   {{"no-store"}, true},
                                   {{"max-age=1000", "public, No-Store"}, true},
                                   {{"private=\"no-store\""}, false}};
  const auto client = start_client();
  for (const auto& [cache_control, no_store] : cases) {
    Fault fault;
    for (const std::string& value : cache_control) {
      fault.fields.emplace_back("Cache-Control", value);
    }
    FaultServer server({.size = 1000}, [&](const SeenRequest&) { return fault; });
    const auto fresh = open_blob(client, blob_at(server.url()), {});
    REQUIRE(fresh);
    CHECK(fresh->origin->info().no_store == no_store);
    blob::Info known = info_of(1000);
    known.no_store = !no_store;  // what holds is what the server says now
    const auto unchanged = open_blob(client, blob_at(server.url()), known);
    REQUIRE(unchanged);
    CHECK(unchanged->unchanged);
    CHECK(unchanged->origin->info().no_store == no_store);
  }
}

TEST_CASE("the endless body of an answer that says it is empty is not read") {
  test::Listener listener([](test::Socket& socket) {
    char request[4096];
    static_cast<void>(socket.read(request));
    bool open = socket.write_text(
        "HTTP/1.1 416 No\r\nContent-Range: bytes */0\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
    while (open) open = socket.write_text(chunk);
  });
  const test::HangGuard guard;
  const auto opened = open_blob(
      start_client(), blob_at(fmt::format("http://127.0.0.1:{}/blob", listener.port())), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == 0);
  CHECK(opened->head.empty());
}

TEST_CASE("a size that is known from elsewhere has to be right") {
  FaultServer server({.size = 1000});
  const auto client = start_client();
  HttpBlob blob = blob_at(server.url());
  blob.size = 1000;
  CHECK(open_blob(client, blob, {}));
  CHECK(server.requests().at(0).field("range") == "bytes=0-999");
  blob.size = 1001;
  const auto network = open_blob(client, blob, {});
  REQUIRE_FALSE(network);
  CHECK(network.error().code == ErrorCode::kNetwork);
  blob.digest = "sha256:0";
  const auto integrity = open_blob(client, blob, {});
  REQUIRE_FALSE(integrity);
  CHECK(integrity.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a body without size is left to read_unsized") {
  FaultServer server({.size = 300'000}, [](const SeenRequest&) {
    return Fault{.ignore_range = true, .no_length = true};
  });
  const auto client = start_client();
  const auto opened = open_blob(client, blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->unsized);
  CHECK_FALSE(opened->origin);
  Sink sink;
  const auto read = read_unsized(client, blob_at(server.url()), sink);
  REQUIRE(read.outcome);
  CHECK(read.traffic.bytes == 300'000);
  CHECK(sink.wait());
  CHECK(sink.in_order);
  CHECK((sink.received == server.bytes(0, 300'000)));
  CHECK_FALSE(server.requests().at(1).has("range"));
}

TEST_CASE("no more is read of a body without size than is wanted") {
  // More would take a minute.
  FaultServer server({.size = 60'000'000, .rate = 1'000'000},
                     [](const SeenRequest&) { return Fault{.no_length = true}; });
  const auto client = start_client();
  Sink sink;
  const auto read = read_unsized(client, blob_at(server.url()), sink, 5000);
  REQUIRE(read.outcome);
  CHECK(sink.wait());
  CHECK((sink.received == server.bytes(0, 5000)));
  CHECK(read.traffic.bytes == 5000);
}

TEST_CASE("read_unsized is tried again before the first byte, and not after it") {
  const Fault good{.no_length = true};
  Fault cut = good;
  cut.cut_at = 5000;
  FaultServer server({.size = 10'000}, std::vector<Fault>{{.no_answer = true}, good, cut, good});
  const auto client = start_client();
  Sink first, second;
  const auto read = read_unsized(client, blob_at(server.url()), first);
  REQUIRE(read.outcome);
  CHECK(read.traffic.retries == 1);
  const auto failed = read_unsized(client, blob_at(server.url()), second);
  REQUIRE_FALSE(failed.outcome);
  CHECK(failed.outcome.error().code == ErrorCode::kNetwork);
  CHECK(failed.traffic.bytes == 5000);
  CHECK_FALSE(second.wait());
  CHECK(server.requests().size() == 3);
}

TEST_CASE("a URL that is none") {
  const auto client = start_client();
  for (const char* const bad : {"", "blob", "ftp://host/x", "http://", "http://a b/"}) {
    INFO(bad);
    const auto opened = open_blob(client, blob_at(bad), {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::kUsage);
  }
  Sink sink;
  const auto outcome =
      download(*assume_blob(client, blob_at("ftp://host/x"), info_of()), {0, 10}, sink);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kUsage);
}

TEST_CASE("a server that refuses ranges beyond the end is asked for less") {
  FaultServer server({.size = 100}, [](const SeenRequest& seen) {
    if (seen.field("range") == "bytes=0-99") return Fault();
    return Fault{.status = 416, .fields = {{"Content-Range", "bytes */100"}}};
  });
  const auto opened = open_blob(start_client(), blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == 100);
  CHECK(opened->head.size() == 100);
}

}  // namespace
}  // namespace shunt::http_blob
