// Who gets which credentials, and what is asked of a token server.
#include "unit/oci/token_world.h"

namespace shunt::oci {
namespace {

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
  world.start_with_token();
  const auto asked = world.token_requests();
  REQUIRE(asked.size() == 1);
  CHECK(field_of(asked[0], "Authorization") == "Basic am9lOnNlOmNyZXQ=");
  CHECK_THAT(asked[0].url, Contains("/token?x=1&service=") && Contains("&account=joe"));
  for (const http::Request& request : world.client->requests()) {
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
  world.start_with_token();
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
  CHECK(authorization_of(*world.authorizer, kBlob).empty());
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
  world.start_with_token();
  CHECK(world.token_requests().at(0).url ==
        "https://auth.example/token?scope=repository%3Aa%2Fb%3Apull");
}

TEST_CASE("Basic is sent where the registry asks for it") {
  std::string wanted = "Basic am9lOnNlY3JldA==";
  const auto client = std::make_shared<FakeClient>([&](const http::Request& request) {
    if (field_of(request, "Authorization") == wanted) return FakeAnswer{200, {}, "ok", {}};
    return FakeAnswer{401, {{"WWW-Authenticate", "Basic realm=\"r\""}}, "", {}};
  });
  TokenSettings settings;
  settings.registry = "https://r.example";
  const auto get = [&](const std::shared_ptr<blob::Authorizer>& authorizer) {
    http::DocumentRequest request;
    request.request.url = kBlob;
    request.authorizer = authorizer;
    request.limit = 100;
    return http::get_document(*client, std::move(request));
  };
  SECTION("the right ones") {
    settings.credentials = {"joe", "secret", ""};
    const auto authorizer = *make_token_authorizer(client, settings);
    REQUIRE(get(authorizer));
    CHECK(client->requests().size() == 2);
    CHECK(authorization_of(*authorizer, kBlob) == wanted);
    CHECK(authorization_of(*authorizer, "https://cdn.example/").empty());
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
    CHECK_THAT(whole.error().reason, Contains("requires a login"));
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

}  // namespace
}  // namespace shunt::oci
