#include "shunt/http/document_request.h"

#include <fmt/format.h>

#include "shunt/http/basic_authorization.h"
#include "unit/http/fake_client.h"

namespace shunt::http {
namespace {

DocumentRequest request_of(const std::string& url, std::size_t limit = 100) {
  DocumentRequest request;
  request.request.url = url;
  request.request.fields.push_back({"Accept", "a/b"});
  request.own_fields.push_back({"X-Own", "mine"});
  request.limit = limit;
  request.count = std::make_shared<RequestCount>();
  return request;
}

Error network_error() {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.reason = "reset";
  return error;
}

TEST_CASE("a document comes with one request") {
  FakeClient client([](const Request&) { return FakeAnswer{200, {{"A", "b"}}, "hello", {}}; });
  const auto request = request_of("https://r.example/x");
  const auto whole = get_document(client, request);
  REQUIRE(whole);
  CHECK(whole->answer.status == 200);
  CHECK(whole->body == "hello");
  REQUIRE(whole->answer.find("a") != nullptr);
  CHECK(request.count->requests == 1);
  CHECK(request.count->retries == 0);
}

TEST_CASE("a document has a largest size") {
  FakeClient client([](const Request&) { return FakeAnswer{200, {}, std::string(101, 'x'), {}}; });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE_FALSE(whole);
  CHECK(whole.error().code == ErrorCode::kNetwork);
  CHECK_THAT(whole.error().reason, Contains("larger"));
  CHECK(client.requests().size() == 1);
  CHECK(get_document(client, request_of("https://r.example/x", 101)));
}

TEST_CASE("the size of a refusal does not matter") {
  FakeClient client([](const Request&) {
    return FakeAnswer{404, {}, std::string(100'000, 'x'), {}};
  });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE(whole);
  CHECK(whole->answer.status == 404);
  CHECK(client.requests().size() == 1);
}

TEST_CASE("failures are repeated, a bounded number of times, after longer and longer pauses") {
  const int status = GENERATE(0, 408, 429, 500, 502, 503, 504);
  FakeClient client([&](const Request&) {
    FakeAnswer answer;
    answer.status = status;
    if (status == 0) answer.error = network_error();
    return answer;
  });
  auto request = request_of("https://r.example/x");
  request.retry.attempts = 5;
  const auto count = request.count;
  const auto whole = get_document(client, std::move(request));
  if (status == 0) {
    REQUIRE_FALSE(whole);
    CHECK(whole.error().reason == "reset");
  } else {
    REQUIRE(whole);
    CHECK(whole->answer.status == status);
  }
  const auto requests = client.requests();
  REQUIRE(requests.size() == 5);
  CHECK(count->requests == 5);
  CHECK(count->retries == 4);
  CHECK(requests[0].delay.count() == 0);
  for (std::size_t i = 1; i < 5; ++i) {
    const long most = 250L << (i - 1);
    CHECK(requests[i].delay.count() >= most / 2);
    CHECK(requests[i].delay.count() <= most);
  }
}

TEST_CASE("what will not get better is not repeated") {
  const int status = GENERATE(400, 403, 404, 405, 501);
  FakeClient client([&](const Request&) { return FakeAnswer{status, {}, "", {}}; });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE(whole);
  CHECK(whole->answer.status == status);
  CHECK(client.requests().size() == 1);
}

TEST_CASE("an interruption is final") {
  FakeClient client([&](const Request&) {
    Error error;
    error.code = ErrorCode::kInterrupted;
    return FakeAnswer{0, {}, "", error};
  });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE_FALSE(whole);
  CHECK(whole.error().code == ErrorCode::kInterrupted);
  CHECK(client.requests().size() == 1);
}

TEST_CASE("a body that breaks off is asked for again as a whole") {
  int asked = 0;
  FakeClient client([&](const Request&) {
    FakeAnswer answer{200, {}, "half", {}};
    if (++asked == 1) {
      answer.error = network_error();
    } else {
      answer.body = "whole";
    }
    return answer;
  });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE(whole);
  CHECK(whole->body == "whole");
}

TEST_CASE("Retry-After is obeyed within bounds") {
  const std::string after = GENERATE("7", "30");
  int asked = 0;
  FakeClient client([&](const Request&) {
    if (++asked == 2) return FakeAnswer{200, {}, "x", {}};
    return FakeAnswer{429, {{"Retry-After", after}}, "", {}};
  });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE(whole);
  if (after == "7") {
    CHECK(whole->answer.status == 200);
    CHECK(client.requests().at(1).delay.count() == 7000);
  } else {
    CHECK(whole->answer.status == 429);
    CHECK(client.requests().size() == 1);
  }
}

TEST_CASE("redirects are followed; what is for the first server stays with it") {
  FakeClient client([&](const Request& request) {
    if (request.url == "https://r.example/x") {
      return FakeAnswer{307, {{"Location", "/y"}}, "", {}};
    }
    if (request.url == "https://r.example/y") {
      return FakeAnswer{302, {{"Location", "https://u:p@cdn.example/z"}}, "", {}};
    }
    return FakeAnswer{200, {}, "here", {}};
  });
  auto request = request_of("https://r.example/x");
  request.authorizer = fixed_authorization("https://r.example/", "Basic abc");
  const auto whole = get_document(client, std::move(request));
  REQUIRE(whole);
  CHECK(whole->body == "here");
  const auto requests = client.requests();
  REQUIRE(requests.size() == 3);
  for (const std::size_t own : {0U, 1U}) {
    CHECK(field_of(requests[own], "Authorization") == "Basic abc");
    CHECK(field_of(requests[own], "X-Own") == "mine");
  }
  CHECK(requests[2].url == "https://cdn.example/z");
  CHECK(field_of(requests[2], "Authorization").empty());
  CHECK(field_of(requests[2], "X-Own").empty());
  CHECK(field_of(requests[2], "Accept") == "a/b");
}

TEST_CASE("an authorizer may tell at once what has become of a renewal") {
  struct Prompt final : blob::Authorizer {
    std::string sign(blob::Request& asked) override {
      const std::string value = fmt::format("Bearer {}", renewals);
      asked.fields.push_back({"Authorization", value});
      return value;
    }
    void renew(const blob::Request& /*request*/, const blob::Answer& /*answer*/,
               const std::string& /*used*/, std::function<void(Result<void>)> done) override {
      ++renewals;
      done(refuses ? Result<void>(network_error()) : Result<void>());
    }
    int renewals = 0;
    bool refuses = false;
  };
  std::string good = "Bearer 2";
  FakeClient client([&](const Request& request) {
    return FakeAnswer{field_of(request, "Authorization") == good ? 200 : 401, {}, "", {}};
  });
  auto request = request_of("https://r.example/x");
  const auto prompt = std::make_shared<Prompt>();
  request.authorizer = prompt;
  const auto accepted = get_document(client, request);
  REQUIRE(accepted);
  CHECK(accepted->answer.status == 200);
  CHECK(client.requests().size() == 3);
  // Not for ever.
  good = "none";
  const auto refused = get_document(client, request);
  REQUIRE(refused);
  CHECK(refused->answer.status == 401);
  CHECK(client.requests().size() == 6);
  prompt->refuses = true;
  CHECK_FALSE(get_document(client, request));
  CHECK(client.requests().size() == 7);
  // What never changes is told at once too.
  request.authorizer = fixed_authorization("https://r.example/", "Basic abc");
  const auto fixed = get_document(client, request);
  REQUIRE_FALSE(fixed);
  CHECK_THAT(fixed.error().reason, Contains("user name and password"));
  CHECK(client.requests().size() == 8);
}

TEST_CASE("another port and another scheme are other servers") {
  const std::string target = GENERATE("https://r.example:444/y", "https://x.r.example/y");
  FakeClient client([&](const Request& request) {
    if (request.url == "https://r.example/x") {
      return FakeAnswer{302, {{"Location", target}}, "", {}};
    }
    return FakeAnswer{200, {}, "here", {}};
  });
  auto request = request_of("https://r.example/x");
  REQUIRE(get_document(client, std::move(request)));
  const auto requests = client.requests();
  REQUIRE(requests.size() == 2);
  CHECK(field_of(requests[1], "X-Own").empty());
}

TEST_CASE("redirects that lead nowhere good end") {
  const std::string target =
      GENERATE("https://r.example/x", "http://r.example/y", "file:///etc/passwd", "https://");
  FakeClient client([&](const Request&) {
    return FakeAnswer{302, {{"Location", target}}, "", {}};
  });
  const auto whole = get_document(client, request_of("https://r.example/x"));
  REQUIRE_FALSE(whole);
  CHECK(whole.error().code == ErrorCode::kNetwork);
  CHECK(client.requests().size() <= 11);
  for (const Request& request : client.requests()) CHECK(request.url == "https://r.example/x");
}

TEST_CASE("a POST is not sent to where a redirect points") {
  FakeClient client([&](const Request&) {
    return FakeAnswer{307, {{"Location", "https://evil.example/"}}, "", {}};
  });
  auto request = request_of("https://r.example/x");
  request.request.method = "POST";
  request.request.body = "secret";
  const auto whole = get_document(client, std::move(request));
  REQUIRE(whole);
  CHECK(whole->answer.status == 307);
  CHECK(client.requests().size() == 1);
}

TEST_CASE("a cancelled request says nothing more") {
  std::atomic<bool> done{false};
  std::mutex hold;
  FakeClient client([&](const Request&) {
    const std::lock_guard lock(hold);
    return FakeAnswer{200, {}, "x", {}};
  });
  {
    std::unique_lock lock(hold);
    auto call = send_document(client, request_of("https://r.example/x"),
                              [&](const Result<WholeAnswer>&) { done = true; });
    while (client.requests().empty()) std::this_thread::yield();
    call.reset();
  }
  client.drain();
  CHECK_FALSE(done);
}

}  // namespace
}  // namespace shunt::http
