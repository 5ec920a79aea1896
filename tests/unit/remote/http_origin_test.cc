// Opening blobs, and bodies of unknown size.
#include <ctime>

#include "unit/remote/blob_fixture.h"

namespace shunt::remote {
namespace {

TEST_CASE("opening tells size, validator and freshness, and brings the first bytes") {
  FaultServer server({.size = kSize},
                     std::vector<Fault>{{.fields = {{"Cache-Control", "max-age=1000"}}}});
  const auto opened = open_blob(start_client(), blob_at(server.url()), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == kSize);
  CHECK(opened->origin->info().validator == "\"v1\"");
  CHECK(opened->origin->info().name == server.url());
  CHECK(opened->origin->info().fresh_until >= std::time(nullptr) + 990);
  CHECK(opened->head.size() == kHeadSize);
  CHECK((text_of(opened->head) == server.bytes(0, kHeadSize)));
  CHECK_FALSE(opened->unchanged);
  CHECK(opened->origin->serves_ranges());
  CHECK(server.requests().at(0).field("range") == "bytes=0-65535");
  const Traffic traffic = opened->origin->traffic();
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
  BlobInfo known = info_of();

  const auto unchanged = open_blob(client, blob_at(server.url()), known);
  REQUIRE(unchanged);
  CHECK(unchanged->unchanged);
  CHECK(unchanged->head.empty());
  CHECK(unchanged->origin->info().size == kSize);
  CHECK(unchanged->origin->info().validator == known.validator);
  CHECK(unchanged->origin->info().fresh_until >= std::time(nullptr) + 490);
  CHECK(unchanged->origin->traffic().requests == 1);
  CHECK(unchanged->origin->traffic().data_requests == 0);
  CHECK(server.requests().at(0).field("if-none-match") == "\"v1\"");

  known.validator = "Tue, 01 Jan 2019 00:00:00 GMT";
  CHECK(open_blob(client, blob_at(server.url()), known)->unchanged);
  CHECK(server.requests().at(1).field("if-modified-since") == known.validator);

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
    const auto fresh_with = [&](std::vector<Field> fields, const std::optional<BlobInfo>& known) {
      HttpBlob blob = blob_at(server.url());
      blob.fields = std::move(fields);
      const auto opened = open_blob(client, blob, known);
      REQUIRE(opened);
      CHECK(opened->unchanged == known.has_value());
      return opened->origin->info().fresh_until != 0;
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
    BlobInfo known = info_of(1000);
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
    const auto start = std::chrono::steady_clock::now();
    while (open && std::chrono::steady_clock::now() - start < 5s) open = socket.write_text(chunk);
  });
  const auto start = std::chrono::steady_clock::now();
  const auto opened = open_blob(
      start_client(), blob_at(fmt::format("http://127.0.0.1:{}/blob", listener.port())), {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == 0);
  CHECK(opened->head.empty());
  CHECK(std::chrono::steady_clock::now() - start < 3s);
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
  CHECK(integrity.error().code == ErrorCode::kIntegrity);
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
  const auto traffic = read_unsized(client, blob_at(server.url()), sink);
  REQUIRE(traffic);
  CHECK(traffic->bytes == 300'000);
  CHECK(sink.wait());
  CHECK(sink.in_order);
  CHECK((sink.received == server.bytes(0, 300'000)));
  CHECK_FALSE(server.requests().at(1).has("range"));
}

TEST_CASE("read_unsized is tried again before the first byte, and not after it") {
  const Fault good{.no_length = true};
  Fault cut = good;
  cut.cut_at = 5000;
  FaultServer server({.size = 10'000}, std::vector<Fault>{{.no_answer = true}, good, cut, good});
  const auto client = start_client();
  Sink first, second;
  const auto traffic = read_unsized(client, blob_at(server.url()), first);
  REQUIRE(traffic);
  CHECK(traffic->retries == 1);
  const auto failed = read_unsized(client, blob_at(server.url()), second);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::kNetwork);
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
}  // namespace shunt::remote
