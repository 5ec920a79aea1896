// Servers that send so slowly that they would never end.
#include <thread>

#include "shunt/http/document_request.h"
#include "shunt/http/speed_watch.h"
#include "unit/http_blob/blob_fixture.h"

namespace shunt::http {
namespace {

using namespace http_blob;

TEST_CASE("a byte a second is too slow, as many as were asked for are not") {
  SpeedWatch watch(100, 30);
  for (int second = 0; second < 30; ++second) {
    watch.came(1);
    watch.waited(1);
    CHECK_FALSE(watch.too_slow());
  }
  watch.waited(0.1);
  CHECK(watch.too_slow());

  SpeedWatch enough(100, 30);
  for (int second = 0; second < 1000; ++second) {
    enough.waited(1);
    CHECK_FALSE(enough.too_slow());
    enough.came(101);
  }
  SpeedWatch none(0, 30);
  none.waited(1000);
  CHECK_FALSE(none.too_slow());
}

TEST_CASE("what comes too slowly is tried once more, until it was fast enough") {
  SpeedWatch watch(100, 30);
  CHECK(watch.may_try_again());  // it ended for another reason
  watch.waited(31);
  CHECK(watch.may_try_again());
  CHECK_FALSE(watch.too_slow());
  watch.came(2999);
  watch.waited(31);
  CHECK_FALSE(watch.may_try_again());
  watch.came(3000);
  watch.waited(31);
  CHECK(watch.may_try_again());
}

TEST_CASE("attempts at the same thing are taken together") {
  SpeedWatch watch(100, 30);
  for (int attempt = 0; attempt < 4; ++attempt) {
    watch.came(10);
    watch.waited(9);
    CHECK(watch.too_slow() == (attempt == 3));
  }
}

TEST_CASE("a server may take its time for the first byte, each attempt longer") {
  SpeedWatch watch(100, 30);
  for (const double times : {1.0, 2.0, 4.0}) {
    CHECK(watch.patience() == times);
    CHECK(watch.may_try_again());
    watch.was_not_answered();
  }
  CHECK_FALSE(watch.may_try_again());
  watch.came(1);
  CHECK(watch.patience() == 1);

  // Silent for longer than it may be later on.
  FaultServer server({.size = kSize}, std::vector<Fault>{{.latency = 1.3}, {.latency = 100}});
  const auto patient = start_client({.stall_timeout = 1, .answer_timeout = 15});
  CHECK(get_whole(*patient, request_for(server.url()), kSize));
  const auto client = start_client({.stall_timeout = 10, .answer_timeout = 1});
  Sink sink;
  const auto origin = http_blob::assume_blob(client, blob_at(server.url()), info_of());
  CHECK(download(*origin, {0, 1000}, sink));
  CHECK(server.requests().size() == 3);
}

TEST_CASE("a server that drips is given up, whatever is asked of it") {
  // More is left than any test would wait for.
  FaultServer server({.size = kSize, .rate = 50});
  const auto client = start_client({.stall_timeout = 0.3, .low_speed = 10'000});
  const auto is_too_slow = [](const Error& error) {
    CHECK(error.code == ErrorCode::kNetwork);
    CHECK(error.reason.find("too slowly") != std::string::npos);
  };
  SECTION("a range") {
    Sink sink;
    const auto origin = http_blob::assume_blob(client, blob_at(server.url()), info_of());
    const auto outcome = download(*origin, {0, kSize}, sink);
    REQUIRE_FALSE(outcome);
    is_too_slow(outcome.error());
    CHECK(server.requests().size() == 2);
    CHECK_FALSE(sink.received.empty());
  }
  SECTION("the first bytes") {
    const auto opened = http_blob::open_blob(client, blob_at(server.url()), std::nullopt);
    REQUIRE_FALSE(opened);
    is_too_slow(opened.error());
    CHECK(server.requests().size() == 2);
  }
  SECTION("a body without a length") {
    Sink sink;
    const auto read = http_blob::read_unsized(client, blob_at(server.url()), sink);
    REQUIRE_FALSE(read.outcome);
    is_too_slow(read.outcome.error());
  }
  SECTION("a small document") {
    DocumentRequest request;
    request.request.url = server.url();
    request.limit = kSize;
    const auto whole = get_document(*client, std::move(request));
    REQUIRE_FALSE(whole);
    is_too_slow(whole.error());
    CHECK(server.requests().size() == 2);
  }
}

TEST_CASE("a header section that drips is given up") {
  // Line by line, each of them short of the limit on silence.
  test::Listener listener([&listener](test::Socket& socket) {
    char piece[4096];
    if (socket.read(piece) == 0 || !socket.write_text("HTTP/1.1 200 OK\r\n")) return;
    while (!listener.stopping() && socket.write_text("X: y\r\n")) listener.pause(0.02);
  });
  const auto client = start_client({.stall_timeout = 0.3, .low_speed = 10'000});
  const auto answer = get_whole(
      *client, request_for(fmt::format("http://127.0.0.1:{}/", listener.port())), 1 << 20);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().reason.find("too slowly") != std::string::npos);
  listener.stop();
}

TEST_CASE("trailers are not what was asked for, however fast they come") {
  test::Listener listener([&listener](test::Socket& socket) {
    char piece[4096];
    if (socket.read(piece) == 0 ||
        !socket.write_text(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")) {
      return;
    }
    // A line of these would be fast enough.
    const std::string line = "X: " + std::string(1000, 'y') + "\r\n";
    while (!listener.stopping() && socket.write_text(line)) listener.pause(0.05);
  });
  const auto client = start_client({.stall_timeout = 0.3, .low_speed = 3000});
  Recorder recorder;
  const auto call =
      client->send(request_for(fmt::format("http://127.0.0.1:{}/", listener.port())), recorder);
  const auto outcome = recorder.wait();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().reason.find("too slowly") != std::string::npos);
  CHECK(recorder.body_ == "ok");
  listener.stop();
}

TEST_CASE("whoever takes the bytes slowly makes no server a slow one") {
  constexpr std::size_t kPieces = 12;
  constexpr std::size_t kPiece = 1000;
  struct Slow final : Recorder {
    Result<void> body(std::span<const std::byte> bytes) override {
      std::this_thread::sleep_for(150ms);
      return Recorder::body(bytes);
    }
  };
  Slow slow;
  // The next piece is sent when the one before has been taken: the waiting is all on one side.
  test::Listener listener([&](test::Socket& socket) {
    char request[4096];
    if (socket.read(request) == 0) return;
    if (!socket.write_text(
            fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", kPieces * kPiece))) {
      return;
    }
    for (std::size_t sent = 0; sent < kPieces && !listener.stopping(); ++sent) {
      if (!socket.write_text(std::string(kPiece, 'x'))) return;
      while (!listener.stopping() && slow.received_ < (sent + 1) * kPiece) listener.pause(0.001);
    }
  });
  const auto client = start_client({.stall_timeout = 1, .low_speed = 1'000'000});
  const auto call =
      client->send(request_for(fmt::format("http://127.0.0.1:{}/", listener.port())), slow);
  CHECK(slow.wait());
  CHECK(slow.body_.size() == kPieces * kPiece);
}

}  // namespace
}  // namespace shunt::http
