// The life of a token: fetched, kept, renewed, dropped, waited for.
#include <future>
#include <thread>

#include "unit/oci/token_world.h"

namespace shunt::oci {
namespace {

TEST_CASE("a token is fetched once it is asked for, and then kept") {
  TokenWorld world;
  world.start();
  CHECK(authorization_of(*world.authorizer, kBlob).empty());
  CHECK(world.get() == 200);
  CHECK(world.get() == 200);
  const auto requests = world.client->requests();
  REQUIRE(requests.size() == 4);  // 401, token, 200; 200
  CHECK(requests[1].url ==
        "https://auth.example/token?service=the%20registry&scope=repository%3Aa%2Fb%3Apull");
  CHECK(requests[1].method == "GET");
  CHECK(field_of(requests[1], "Authorization").empty());
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t1");
}

TEST_CASE("a token is for the scheme, host and port of the registry alone") {
  TokenWorld world;
  world.start_with_token();
  CHECK(authorization_of(*world.authorizer, "https://R.example:443/other") == "Bearer t1");
  for (const char* const url :
       {"https://auth.example/token", "https://cdn.example/x", "http://r.example/x",
        "https://r.example:444/x", "https://r.example.evil/x", "https://r.example@evil/x", ""}) {
    INFO(url);
    CHECK(authorization_of(*world.authorizer, url).empty());
  }
}

TEST_CASE("a token is renewed before it expires, without a refusal") {
  TokenWorld world;
  world.lifetime = 100;
  world.start_with_token();
  world.now = world.now.load() + 79s;
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t1");
  world.client->drain();
  CHECK(world.issued == 1);
  world.now = world.now.load() + 2s;
  // Until the new one is there, the old one is still good.
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t1");
  world.client->drain();
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t2");
  CHECK(world.issued == 2);
}

TEST_CASE("an expired token is not sent") {
  TokenWorld world;
  world.lifetime = 100;
  world.start_with_token();
  world.now = world.now.load() + 100s;
  CHECK(authorization_of(*world.authorizer, kBlob).empty());
  CHECK(world.get() == 200);
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t2");
}

TEST_CASE("a token lives for a minute when nothing is said") {
  TokenWorld world;
  world.token_body = GENERATE(values<std::string>(
      {R"({"token":"t1"})", R"({"token":"t1","expires_in":0})", R"({"token":"t1","expires_in":-5})",
       R"({"token":"t1","expires_in":"x"})"}));
  world.issued = 1;
  world.start_with_token();
  // Not in its last twelve seconds, in which it is renewed while it is used.
  world.now = world.now.load() + 47s;
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t1");
  world.now = world.now.load() + 14s;
  CHECK(authorization_of(*world.authorizer, kBlob).empty());
}

TEST_CASE("a lifetime beyond all bounds does no harm") {
  TokenWorld world;
  world.token_body = R"({"token":"t1","expires_in":1e300})";
  world.issued = 1;
  world.start_with_token();
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t1");
}

TEST_CASE("a refused token is dropped before a new one is asked for") {
  TokenWorld world;
  world.start_with_token();
  world.issued = 7;  // the registry knows another one by now
  CHECK(world.get() == 200);
  const auto asked = world.token_requests();
  REQUIRE(asked.size() == 2);
  CHECK(field_of(asked[1], "Authorization").empty());
  CHECK(authorization_of(*world.authorizer, kBlob) == "Bearer t8");
}

TEST_CASE("a refused token is not sent any more when there is no new one") {
  TokenWorld world;
  world.start_with_token();
  world.issued = 7;
  world.token_status = 403;
  CHECK(world.get() == -1);
  CHECK(authorization_of(*world.authorizer, kBlob).empty());
}

TEST_CASE("who asks while a token is on its way waits for that one") {
  TokenWorld world;
  world.start();
  const blob::Answer refused{401, {{"WWW-Authenticate", world.challenge}}};
  std::atomic<int> good{0};
  const auto renew = [&] {
    world.authorizer->renew(request_to(kBlob), refused, "", [&](const Result<void>& outcome) {
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
  const blob::Answer refused{401, {{"WWW-Authenticate", world.challenge}}};
  std::atomic<int> good{0};
  for (int i = 0; i < 10; ++i) {
    world.authorizer->renew(request_to(kBlob), refused, "", [&](const Result<void>& outcome) {
      if (outcome) ++good;
    });
  }
  world.client->drain();
  CHECK(good == 10);
  CHECK(world.token_requests().size() == 1);
  // Whoever comes late with the old one finds the new one.
  world.authorizer->renew(request_to(kBlob), refused, "Bearer t0",
                          [&](const Result<void>&) { ++good; });
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
  world.settings.count = std::make_shared<http::RequestCount>();
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

TEST_CASE("an authorizer may go away while it asks, and in the call that tells") {
  TokenWorld world;
  world.start();
  const blob::Answer refused{401, {{"WWW-Authenticate", world.challenge}}};
  SECTION("while it asks") {
    world.authorizer->renew(request_to(kBlob), refused, "", [](const Result<void>&) {});
    world.authorizer.reset();
    world.client->drain();
  }
  SECTION("in the call") {
    std::promise<void> told;
    world.authorizer->renew(request_to(kBlob), refused, "", [&](const Result<void>&) {
      world.authorizer.reset();
      told.set_value();
    });
    told.get_future().get();
    world.client->drain();
    CHECK(world.token_requests().size() == 1);
  }
}

}  // namespace
}  // namespace shunt::oci
