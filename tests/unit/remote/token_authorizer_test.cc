#include "remote/token_authorizer.h"

#include <fmt/format.h>

#include <future>

#include "support/catch.h"
#include "unit/remote/fake_client.h"

namespace shunt::remote {
namespace {

using namespace std::chrono_literals;
using Catch::Contains;
using test::FakeAnswer;
using test::FakeClient;
using test::field_of;

constexpr const char* kRealm = "https://auth.example/token";
constexpr const char* kBlob = "https://r.example/v2/a/b/blobs/x";

// A registry that wants the last token that its token server has given out.
class TokenWorld {
 public:
  explicit TokenWorld(std::string realm = kRealm)
      : challenge(fmt::format(
            R"(Bearer realm="{}",service="the registry",scope="repository:a/b:pull")", realm)),
        client(std::make_shared<FakeClient>([this](const Request& r) { return answer(r); })) {
    settings.registry = "https://r.example";
    settings.name = "r.example";
    settings.scope = "repository:a/b:pull";
    settings.now = [this] { return now.load(); };
  }

  void start() {
    auto made = make_token_authorizer(client, settings);
    REQUIRE(made);
    authorizer = *made;
  }

  // The status that a request through it ends with.
  int get(const std::string& url = kBlob) {
    DocumentRequest request;
    request.request.url = url;
    request.authorizer = authorizer;
    request.limit = 1000;
    auto whole = get_document(*client, std::move(request));
    if (!whole) error = whole.error();
    return whole ? whole->answer.status : -1;
  }

  [[nodiscard]] std::vector<Request> token_requests() {
    std::vector<Request> found;
    for (const Request& request : client->requests()) {
      if (request.url.find("/token") != std::string::npos) found.push_back(request);
    }
    return found;
  }

  std::mutex hold;  // the token server waits for it
  std::string challenge;
  std::string token_body;  // empty: a new token each time
  int token_status = 200;
  std::atomic<int> failures{0};     // so many 503 of the token server first
  std::atomic<bool> revoke{false};  // the registry refuses all tokens
  std::atomic<int> issued{0};
  int lifetime = 300;
  std::atomic<std::chrono::steady_clock::time_point> now{std::chrono::steady_clock::now()};
  TokenSettings settings;
  Error error;
  std::shared_ptr<FakeClient> client;
  std::shared_ptr<Authorizer> authorizer;

 private:
  FakeAnswer answer(const Request& request) {
    if (request.url.find("/token") != std::string::npos) {
      const std::lock_guard lock(hold);
      if (failures > 0) {
        --failures;
        return {503, {}, "", {}};
      }
      if (!token_body.empty() || token_status != 200) return {token_status, {}, token_body, {}};
      return {200, {}, fmt::format(R"({{"token":"t{}","expires_in":{}}})", ++issued, lifetime), {}};
    }
    if (!revoke && issued > 0 &&
        field_of(request, "Authorization") == fmt::format("Bearer t{}", issued.load())) {
      return {200, {}, "ok", {}};
    }
    return {401, {{"Www-authenticate", challenge}}, "", {}};
  }
};

TEST_CASE("a token is fetched once it is asked for, and then kept") {
  TokenWorld world;
  world.start();
  CHECK(world.authorizer->authorization(kBlob).empty());
  CHECK(world.get() == 200);
  CHECK(world.get() == 200);
  const auto requests = world.client->requests();
  REQUIRE(requests.size() == 4);  // 401, token, 200; 200
  CHECK(requests[1].url ==
        "https://auth.example/token?service=the%20registry&scope=repository%3Aa%2Fb%3Apull");
  CHECK(requests[1].method == "GET");
  CHECK(field_of(requests[1], "Authorization").empty());
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t1");
}

TEST_CASE("a token is for the scheme, host and port of the registry alone") {
  TokenWorld world;
  world.start();
  REQUIRE(world.get() == 200);
  CHECK(world.authorizer->authorization("https://R.example:443/other") == "Bearer t1");
  for (const char* const url :
       {"https://auth.example/token", "https://cdn.example/x", "http://r.example/x",
        "https://r.example:444/x", "https://r.example.evil/x", "https://r.example@evil/x", ""}) {
    INFO(url);
    CHECK(world.authorizer->authorization(url).empty());
  }
}

TEST_CASE("a 401 of another server gets nothing") {
  TokenWorld world;
  world.settings.credentials = {"joe", "secret", ""};
  world.start();
  CHECK(world.get("https://cdn.example/x") == -1);
  CHECK(world.error.code == ErrorCode::kNetwork);
  CHECK(world.token_requests().empty());
}

TEST_CASE("credentials go to the token server, as Basic, and not to the registry") {
  TokenWorld world("https://auth.example/token?x=1");
  world.settings.credentials = {"joe", "se:cret", ""};
  world.start();
  REQUIRE(world.get() == 200);
  const auto asked = world.token_requests();
  REQUIRE(asked.size() == 1);
  CHECK(field_of(asked[0], "Authorization") == "Basic am9lOnNlOmNyZXQ=");
  CHECK_THAT(asked[0].url, Contains("/token?x=1&service=") && Contains("&account=joe"));
  for (const Request& request : world.client->requests()) {
    if (request.url == kBlob) {
      CHECK(field_of(request, "Authorization").find("Basic") == std::string::npos);
    }
  }
}

TEST_CASE("an identity token is exchanged for an access token") {
  TokenWorld world;
  world.settings.credentials.identity_token = "re+fresh";
  world.token_body = R"({"access_token":"t1"})";
  world.issued = 1;
  world.start();
  REQUIRE(world.get() == 200);
  const auto asked = world.token_requests();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].method == "POST");
  CHECK(asked[0].url == kRealm);
  CHECK(asked[0].body ==
        "service=the%20registry&grant_type=refresh_token&client_id=shunt&"
        "scope=repository%3Aa%2Fb%3Apull&refresh_token=re%2Bfresh");
  CHECK(field_of(asked[0], "Content-Type") == "application/x-www-form-urlencoded");
  CHECK(field_of(asked[0], "Authorization").empty());
}

TEST_CASE("a token is renewed before it expires, without a refusal") {
  TokenWorld world;
  world.lifetime = 100;
  world.start();
  REQUIRE(world.get() == 200);
  world.now = world.now.load() + 79s;
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t1");
  world.client->drain();
  CHECK(world.issued == 1);
  world.now = world.now.load() + 2s;
  // Until the new one is there, the old one is still good.
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t1");
  world.client->drain();
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t2");
  CHECK(world.issued == 2);
}

TEST_CASE("an expired token is not sent") {
  TokenWorld world;
  world.lifetime = 100;
  world.start();
  REQUIRE(world.get() == 200);
  world.now = world.now.load() + 100s;
  CHECK(world.authorizer->authorization(kBlob).empty());
  CHECK(world.get() == 200);
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t2");
}

TEST_CASE("a token lives for a minute when nothing is said") {
  TokenWorld world;
  world.token_body = GENERATE(values<std::string>(
      {R"({"token":"t1"})", R"({"token":"t1","expires_in":0})", R"({"token":"t1","expires_in":-5})",
       R"({"token":"t1","expires_in":"x"})"}));
  world.issued = 1;
  world.start();
  REQUIRE(world.get() == 200);
  world.now = world.now.load() + 59s;
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t1");
  world.now = world.now.load() + 62s;
  CHECK(world.authorizer->authorization(kBlob).empty());
}

TEST_CASE("a lifetime beyond all bounds does no harm") {
  TokenWorld world;
  world.token_body = R"({"token":"t1","expires_in":1e300})";
  world.issued = 1;
  world.start();
  REQUIRE(world.get() == 200);
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t1");
}

TEST_CASE("a refused token is dropped before a new one is asked for") {
  TokenWorld world;
  world.start();
  REQUIRE(world.get() == 200);
  world.issued = 7;  // the registry knows another one by now
  CHECK(world.get() == 200);
  const auto asked = world.token_requests();
  REQUIRE(asked.size() == 2);
  CHECK(field_of(asked[1], "Authorization").empty());
  CHECK(world.authorizer->authorization(kBlob) == "Bearer t8");
}

TEST_CASE("a refused token is not sent any more when there is no new one") {
  TokenWorld world;
  world.start();
  REQUIRE(world.get() == 200);
  world.issued = 7;
  world.token_status = 403;
  CHECK(world.get() == -1);
  CHECK(world.authorizer->authorization(kBlob).empty());
}

TEST_CASE("who asks while a token is on its way waits for that one") {
  TokenWorld world;
  world.start();
  const Answer refused{401, {{"WWW-Authenticate", world.challenge}}};
  std::atomic<int> good{0};
  const auto renew = [&] {
    world.authorizer->renew(kBlob, refused, "", [&](const Result<void>& outcome) {
      if (outcome) ++good;
    });
  };
  {
    const std::lock_guard lock(world.hold);
    renew();
    while (world.token_requests().empty()) std::this_thread::yield();
    for (int i = 0; i < 9; ++i) renew();
  }
  world.client->drain();
  CHECK(good == 10);
  CHECK(world.token_requests().size() == 1);
}

TEST_CASE("many that ask at the same time get one token") {
  TokenWorld world;
  world.start();
  const Answer refused{401, {{"WWW-Authenticate", world.challenge}}};
  std::atomic<int> good{0};
  for (int i = 0; i < 10; ++i) {
    world.authorizer->renew(kBlob, refused, "", [&](const Result<void>& outcome) {
      if (outcome) ++good;
    });
  }
  world.client->drain();
  CHECK(good == 10);
  CHECK(world.token_requests().size() == 1);
  // Whoever comes late with the old one finds the new one.
  world.authorizer->renew(kBlob, refused, "Bearer t0", [&](const Result<void>&) { ++good; });
  world.client->drain();
  CHECK(good == 11);
  CHECK(world.token_requests().size() == 1);
}

TEST_CASE("a registry that refuses every token is not asked for ever") {
  TokenWorld world;
  world.revoke = true;
  world.start();
  CHECK(world.get() == 401);
  CHECK(world.client->requests().size() <= 6);
  CHECK(world.token_requests().size() == 2);
}

TEST_CASE("a token server may fail for a while") {
  TokenWorld world;
  world.failures = 3;
  world.settings.count = std::make_shared<RequestCount>();
  world.start();
  CHECK(world.get() == 200);
  CHECK(world.token_requests().size() == 4);
  CHECK(world.settings.count->requests == 4);
  CHECK(world.settings.count->retries == 3);
}

TEST_CASE("a refusal of the token server is told, and can be tried again later") {
  TokenWorld world;
  world.settings.credentials = {"joe", "wrong", ""};
  world.token_status = 401;
  world.token_body = R"({"details":"incorrect\nusername"})";
  world.start();
  CHECK(world.get() == -1);
  CHECK(world.error.code == ErrorCode::kNetwork);
  CHECK_THAT(world.error.reason, Contains("401") && Contains("incorrect username"));
  CHECK_FALSE(world.error.hint.empty());
  CHECK(world.token_requests().size() == 1);
  world.token_status = 200;
  world.token_body.clear();
  CHECK(world.get() == 200);
}

TEST_CASE("what is no token is never sent") {
  TokenWorld world;
  world.token_body = GENERATE(values<std::string>({
      "x",
      "[]",
      "{}",
      R"({"token":""})",
      R"({"token":7})",
      R"({"token":"a\r\nX-Evil: b"})",
      R"({"token":"a b"})",
      R"({"token":"ü"})",
      fmt::format(R"({{"token":"{}"}})", std::string(70'000, 'x')),
      std::string(300'000, ' '),
  }));
  world.start();
  CHECK(world.get() == -1);
  CHECK(world.error.code == ErrorCode::kNetwork);
  CHECK(world.authorizer->authorization(kBlob).empty());
}

TEST_CASE("credentials never go over plain HTTP unless that is wanted, or within this machine") {
  struct Row {
    std::string registry, realm;
    bool plain_http, allowed;
  };
  const auto row = GENERATE(values<Row>({
      {"https://r.example", "http://auth.example/token", false, false},
      {"https://r.example", "http://auth.example/token", true, true},
      {"https://r.example", "https://auth.example/token", false, true},
      {"https://r.example", "http://127.0.0.1:1/token", false, false},
      {"http://127.0.0.1:5000", "http://127.0.0.1:1/token", false, true},
      {"http://localhost:5000", "http://[::1]:1/token", false, true},
      {"http://127.0.0.1:5000", "http://auth.example/token", false, false},
      {"http://127.0.0.1:5000", "http://127.0.0.1.evil.example/token", false, false},
  }));
  for (const bool identity : {false, true}) {
    INFO(row.registry << " " << row.realm);
    TokenWorld world(row.realm);
    world.settings.registry = row.registry;
    world.settings.plain_http = row.plain_http;
    if (identity) {
      world.settings.credentials.identity_token = "refresh";
    } else {
      world.settings.credentials = {"joe", "secret", ""};
    }
    world.start();
    CHECK(world.get(row.registry + "/x") == (row.allowed ? 200 : -1));
    CHECK(world.token_requests().size() == (row.allowed ? 1 : 0));
  }
}

TEST_CASE("a realm that is no URL is not asked") {
  const std::string realm = GENERATE(values<std::string>(
      {"", "file:///token", "ftp://auth.example/token", "/token", "auth.example:x/token"}));
  TokenWorld world(realm);
  world.start();
  CHECK(world.get() == -1);
  CHECK(world.token_requests().empty());
  CHECK(world.client->requests().size() == 1);
}

TEST_CASE("without a scope of its own, the registry gets the usual one") {
  TokenWorld world;
  world.challenge = R"(Bearer realm="https://auth.example/token")";
  world.start();
  REQUIRE(world.get() == 200);
  CHECK(world.token_requests().at(0).url ==
        "https://auth.example/token?scope=repository%3Aa%2Fb%3Apull");
}

TEST_CASE("Basic is sent where the registry asks for it") {
  std::string wanted = "Basic am9lOnNlY3JldA==";
  const auto client = std::make_shared<FakeClient>([&](const Request& request) {
    if (field_of(request, "Authorization") == wanted) return FakeAnswer{200, {}, "ok", {}};
    return FakeAnswer{401, {{"WWW-Authenticate", "Basic realm=\"r\""}}, "", {}};
  });
  TokenSettings settings;
  settings.registry = "https://r.example";
  const auto get = [&](const std::shared_ptr<Authorizer>& authorizer) {
    DocumentRequest request;
    request.request.url = kBlob;
    request.authorizer = authorizer;
    request.limit = 100;
    return get_document(*client, std::move(request));
  };
  SECTION("the right ones") {
    settings.credentials = {"joe", "secret", ""};
    const auto authorizer = *make_token_authorizer(client, settings);
    REQUIRE(get(authorizer));
    CHECK(client->requests().size() == 2);
    CHECK(authorizer->authorization(kBlob) == wanted);
    CHECK(authorizer->authorization("https://cdn.example/").empty());
  }
  SECTION("the wrong ones, once") {
    settings.credentials = {"joe", "wrong", ""};
    const auto whole = get(*make_token_authorizer(client, settings));
    REQUIRE_FALSE(whole);
    CHECK_THAT(whole.error().reason, Contains("refuses the credentials"));
    CHECK(client->requests().size() == 2);
  }
  SECTION("none") {
    const auto whole = get(*make_token_authorizer(client, settings));
    REQUIRE_FALSE(whole);
    CHECK_THAT(whole.error().reason, Contains("wants a login"));
    CHECK(client->requests().size() == 1);
  }
  SECTION("only a token") {
    settings.credentials.identity_token = "refresh";
    CHECK_FALSE(get(*make_token_authorizer(client, settings)));
    CHECK(client->requests().size() == 1);
  }
}

TEST_CASE("a 401 without a challenge is an error") {
  TokenWorld world;
  world.challenge = GENERATE("", "Negotiate", "Digest realm=\"x\"");
  world.settings.credentials = {"joe", "secret", ""};
  world.start();
  CHECK(world.get() == -1);
  CHECK(world.client->requests().size() == 1);
}

TEST_CASE("an authorizer may go away while it asks, and in the call that tells") {
  TokenWorld world;
  world.start();
  const Answer refused{401, {{"WWW-Authenticate", world.challenge}}};
  SECTION("while it asks") {
    world.authorizer->renew(kBlob, refused, "", [](const Result<void>&) {});
    world.authorizer.reset();
    world.client->drain();
  }
  SECTION("in the call") {
    std::promise<void> told;
    world.authorizer->renew(kBlob, refused, "", [&](const Result<void>&) {
      world.authorizer.reset();
      told.set_value();
    });
    told.get_future().get();
    world.client->drain();
    CHECK(world.token_requests().size() == 1);
  }
}

}  // namespace
}  // namespace shunt::remote
