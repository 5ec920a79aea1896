// Requests and their answers: what is sent, what is heard, and what is an error.
#include <fmt/format.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "unit/http/client_fixture.h"

namespace shunt::http {
namespace {

TEST_CASE("a range, its fields and its body arrive") {
  FaultServer server({.size = 100'000});
  const auto client = start_client();
  Request request = request_for(server.url());
  request.range = ByteRange{10, 70'000};
  request.fields = {{"X-One", "1"}, {"X-Empty", ""}};
  Recorder recorder;
  const auto call = client->send(request, recorder);
  REQUIRE(recorder.wait());
  CHECK(recorder.answers_ == 1);
  CHECK(recorder.answer_.status == 206);
  REQUIRE(recorder.answer_.find("CONTENT-range") != nullptr);
  CHECK(*recorder.answer_.find("CONTENT-range") == "bytes 10-69999/100000");
  CHECK(recorder.answer_.find("X-Nothing") == nullptr);
  CHECK(recorder.body_ == server.bytes(10, 70'000));

  const SeenRequest seen = server.requests().at(0);
  CHECK(seen.field("range") == "bytes=10-69999");
  CHECK(seen.field("x-one") == "1");
  CHECK(seen.has("x-empty"));
  CHECK(seen.field("user-agent").starts_with("shunt/"));
  CHECK_FALSE(seen.has("accept-encoding"));
  CHECK_FALSE(seen.has("authorization"));
}

TEST_CASE("HEAD and POST") {
  FaultServer server({.size = 1000});
  const auto client = start_client();
  Request head = request_for(server.url());
  head.method = "HEAD";
  const auto answer = get_whole(*client, head, 0);
  REQUIRE(answer);
  CHECK(answer->answer.status == 200);
  CHECK(answer->body.empty());
  Request post = request_for(server.url("/token"));
  post.method = "POST";
  post.body = "grant_type=password";
  REQUIRE(get_whole(*client, post, 1000));
  CHECK(server.requests().at(0).method == "HEAD");
  CHECK(server.requests().at(1).method == "POST");
  CHECK(server.requests().at(1).body == "grant_type=password");
  CHECK_FALSE(server.requests().at(1).has("expect"));
}

TEST_CASE("get_whole takes no more than it may, and any status") {
  FaultServer server({.size = 1000},
                     std::vector<Fault>{{}, {}, {.status = 404, .body_text = "no"}});
  const auto client = start_client();
  const auto whole = get_whole(*client, request_for(server.url()), 1000);
  REQUIRE(whole);
  CHECK(whole->body == server.bytes(0, 1000));
  const auto larger = get_whole(*client, request_for(server.url()), 999);
  REQUIRE_FALSE(larger);
  CHECK(larger.error().code == ErrorCode::kNetwork);
  const auto missing = get_whole(*client, request_for(server.url()), 1000);
  REQUIRE(missing);
  CHECK(missing->answer.status == 404);
  CHECK(missing->body == "no");
}

TEST_CASE("connections are kept and used again") {
  FaultServer server({.size = 1000});
  const auto client = start_client();
  for (int i = 0; i < 5; ++i) REQUIRE(get_whole(*client, request_for(server.url()), 1000));
  CHECK(server.connections() == 1);
}

// A sanitizer looks at memory by means of a pipe, which cannot be made then.
#ifndef SHUNT_SANITIZED

TEST_CASE("that there is no descriptor for a socket is no failure of the server") {
  const auto client = start_client();
  const Request request = request_for("http://127.0.0.1:1/nothing");
  // Whatever is opened once, is.
  const auto refused = get_whole(*client, request, 1000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kNetwork);
  CHECK(refused.error().system_errno == 0);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(STDIN_FILENO);
  REQUIRE(next >= 0);
  ::close(next);
  const rlimit few{static_cast<rlim_t>(next), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto full = get_whole(*client, request, 1000);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == ErrorCode::kLocalIo);
  CHECK(full.error().system_errno == EMFILE);
  CHECK(full.error().operation == "open a socket");
  CHECK(full.error().path == "http://127.0.0.1:1/nothing");
}

#endif

TEST_CASE("redirects are handed on, not followed") {
  FaultServer server({}, std::vector<Fault>{{.status = 302, .fields = {{"Location", "/other"}}}});
  const auto client = start_client();
  const auto answer = get_whole(*client, request_for(server.url()), 1000);
  REQUIRE(answer);
  CHECK(answer->answer.status == 302);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("no answer, half a body, a reset: network errors with URL and reason") {
  const std::string raw_head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
  FaultServer server({.size = 100'000}, [&](const SeenRequest& seen) {
    if (seen.target == "/none") return Fault{.no_answer = true};
    if (seen.target == "/half") return Fault{.raw = raw_head};
    return Fault{.cut_at = 50'000, .reset = true};
  });
  const auto client = start_client();
  for (const char* const target : {"/none", "/half", "/reset"}) {
    INFO(target);
    Request request = request_for(server.url(target));
    request.fields = {{"Authorization", "Basic c2VjcmV0"}};
    const auto answer = get_whole(*client, request, 1 << 20);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kNetwork);
    CHECK(answer.error().path == server.url(target));
    CHECK(answer.error().operation == "GET");
    CHECK_FALSE(answer.error().reason.empty());
    CHECK(answer.error().describe().find("c2VjcmV0") == std::string::npos);
  }
}

TEST_CASE("a host that does not exist, a port where nobody is: with a hint") {
  const auto client = start_client();
  const auto nobody = get_whole(*client, request_for("http://127.0.0.1:1/x"), 10);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::kNetwork);
  CHECK_FALSE(nobody.error().hint.empty());
  const auto file = get_whole(*client, request_for("file:///etc/hostname"), 1 << 20);
  REQUIRE_FALSE(file);
  CHECK(file.error().code == ErrorCode::kUsage);
}

TEST_CASE("fields that would break out of their line are refused") {
  FaultServer server;
  const auto client = start_client();
  for (const Field& bad : {Field{"X", "a\r\nY: b"}, Field{"X\nY", "a"}, Field{"X: y", "a"},
                           Field{"", "a"}, Field{"X", std::string("a\0b", 3)}}) {
    Request request = request_for(server.url());
    request.fields = {bad};
    const auto answer = get_whole(*client, request, 10);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kUsage);
  }
  CHECK(server.requests().empty());
}

TEST_CASE("an answer that is not of HTTP is the server's fault, not the user's") {
  const auto client = start_client();
  for (const std::string raw :
       {"Hello, world\n", "HTTP/0.9 200 OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\nx",
        "HTTP/1.1 OK 200\r\n\r\nx", "HTTP/1.1 2000 OK\r\n\r\nx", "HTTP/1.1\r\n\r\nx",
        "SSH-2.0-OpenSSH_9.2\r\n", "\0\1\2"}) {
    INFO(raw);
    FaultServer server({}, std::vector<Fault>{{.raw = raw}});
    const auto answer = get_whole(*client, request_for(server.url()), 1000);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kNetwork);
    CHECK(answer.error().path == server.url());
  }
}

TEST_CASE("a Content-Length that is none, or two that differ, is an error that names it") {
  const auto client = start_client();
  const auto get = [&](const std::string& fields) {
    FaultServer server({},
                       std::vector<Fault>{{.raw = "HTTP/1.1 200 OK\r\n" + fields + "\r\n12345"}});
    return get_whole(*client, request_for(server.url()), 1000);
  };
  for (const char* const length :
       {"12abc", "-5", "+5", "0x5", "5.0", "5 5", "99999999999999999999", "18446744073709551616",
        "9223372036854775808", "5, 6", "5,", ""}) {
    INFO(length);
    const auto answer = get(fmt::format("Content-Length: {}\r\n", length));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::kNetwork);
    CHECK(answer.error().reason.find("Content-Length") != std::string::npos);
  }
  const auto differ = get("Content-Length: 5\r\nContent-length: 4\r\n");
  REQUIRE_FALSE(differ);
  CHECK(differ.error().reason.find("Content-Length") != std::string::npos);
  for (const char* const good :
       {"Content-Length: 5\r\n", "Content-Length: 05\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n", ""}) {
    INFO(good);
    const auto answer = get(good);
    REQUIRE(answer);
    CHECK(answer->body == "12345");
    CHECK(answer->answer.length.has_value() == (*good != '\0'));
  }
}

// That a GET is an error of the network which says `what`.
void check_refused(Client& client, const std::string& url, const std::string& what) {
  const auto answer = get_whole(client, request_for(url), 10);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::kNetwork);
  CHECK(answer.error().reason.find(what) != std::string::npos);
}

TEST_CASE("a header line without end is not called a want of memory") {
  const std::string endless(1 << 20, 'x');
  FaultServer server({}, std::vector<Fault>{{.raw = "HTTP/1.1 200 OK\r\nX: " + endless},
                                            {.raw = "HTTP/1.1 200 " + endless},
                                            {.raw = endless}});
  const auto client = start_client();
  for (int i = 0; i < 2; ++i) check_refused(*client, server.url(), "header section");
  const auto none = get_whole(*client, request_for(server.url()), 10);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kNetwork);
  CHECK(none.error().reason.find("emory") == std::string::npos);
}

TEST_CASE("the header section of an answer is bounded") {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += fmt::format("X-{}: y\r\n", i);
  const std::string large =
      "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\nContent-Length: 0\r\n\r\n";
  FaultServer server({}, std::vector<Fault>{{.raw = many + "\r\n"}, {.raw = large}});
  const auto client = start_client();
  for (int i = 0; i < 2; ++i) check_refused(*client, server.url(), "header section");
}

TEST_CASE("the trailers of an answer are bounded, and a few are passed over") {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
  std::string many;
  for (int i = 0; i < 300; ++i) many += fmt::format("X-{}: y\r\n", i);
  std::string large;
  for (int i = 0; i < 40; ++i) large += fmt::format("X-{}: {}\r\n", i, std::string(2000, 'y'));
  FaultServer server({}, std::vector<Fault>{{.raw = head + many + "\r\n"},
                                            {.raw = head + large + "\r\n"},
                                            {.raw = head + "X-One: y\r\n\r\n"}});
  const auto client = start_client();
  for (int i = 0; i < 2; ++i) check_refused(*client, server.url(), "trailers");
  const auto few = get_whole(*client, request_for(server.url()), 10);
  REQUIRE(few);
  CHECK(few->body == "ok");
  CHECK(few->answer.find("X-One") == nullptr);
}

TEST_CASE("interim answers are passed over, folded lines are joined") {
  const std::string raw =
      "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n"
      "HTTP/1.1 200 OK\r\nX-Folded: a\r\n  b\r\nContent-Length: 2\r\n\r\nok";
  FaultServer server({}, std::vector<Fault>{{.raw = raw}});
  const auto client = start_client();
  const auto answer = get_whole(*client, request_for(server.url()), 10);
  REQUIRE(answer);
  CHECK(answer->answer.status == 200);
  CHECK(answer->answer.find("X-Early") == nullptr);
  REQUIRE(answer->answer.find("X-Folded") != nullptr);
  CHECK(*answer->answer.find("X-Folded") == "a b");
  CHECK(answer->body == "ok");
}

TEST_CASE("an error of the handler ends the request and comes back") {
  class Refusing final : public Recorder {
   public:
    Result<void> body(std::span<const std::byte> /*bytes*/) override { return corrupt("not mine"); }
  };
  FaultServer server;
  const auto client = start_client();
  Refusing handler;
  const auto call = client->send(request_for(server.url()), handler);
  const auto outcome = handler.wait();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kCorrupt);
  CHECK(outcome.error().reason == "not mine");
}

TEST_CASE("what is logged holds no credentials") {
  std::ostringstream text;
  const auto before = spdlog::default_logger();
  auto logger = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  {
    FaultServer server({.size = 10});
    const auto client = start_client();
    Request request = request_for(server.url("/blob?X-Amz-Signature=hunter2&part=7"));
    request.fields = {{"Authorization", "Bearer hunter2"}};
    REQUIRE(get_whole(*client, request, 10));
  }
  spdlog::set_default_logger(before);
  CHECK(text.str().find("/blob?X-Amz-Signature=...&part=7") != std::string::npos);
  CHECK(text.str().find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace shunt::http
