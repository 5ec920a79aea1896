#include "shunt/http/url.h"

#include <fmt/format.h>

#include "support/catch.h"

namespace shunt::http {
namespace {

TEST_CASE("a URL is taken apart, its credentials decoded and left out of what is asked for") {
  const auto url = parse_url("HTTPS://me:p%40ss@Example.COM/a/b?x=1#part");
  REQUIRE(url);
  CHECK(url->text == "https://Example.COM/a/b?x=1");
  CHECK(url->scheme == "https");
  CHECK(url->host == "example.com");
  CHECK(url->port == "443");
  CHECK(url->user == "me");
  CHECK(url->password == "p@ss");
  CHECK(parse_url("http://[::1]:8080/")->port == "8080");
  for (const char* const bad : {"", "a", "/a/b", "http://", "file:///etc/passwd", "ftp://a/b",
                                "http://a b/", "http://a/\r\nX: y", "http://a:99999/"}) {
    INFO(bad);
    const auto refused = parse_url(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("same origin: scheme, host and port") {
  const auto same = [](const char* a, const char* b) {
    return parse_url(a)->same_origin(*parse_url(b));
  };
  CHECK(same("http://a/x", "http://A:80/y"));
  CHECK(same("https://a/x", "https://u:p@a:443/"));
  CHECK_FALSE(same("http://a/", "https://a/"));
  CHECK_FALSE(same("http://a/", "http://a:81/"));
  CHECK_FALSE(same("http://a/", "http://b/"));
  CHECK_FALSE(same("http://a/", "http://a.b/"));
}

TEST_CASE("a redirect leads where its Location says") {
  const Url base = *parse_url("http://host:81/dir/file?x=1");
  CHECK(resolve_url(base, "other")->text == "http://host:81/dir/other");
  CHECK(resolve_url(base, "/top")->text == "http://host:81/top");
  CHECK(resolve_url(base, "//cdn/y")->text == "http://cdn/y");
  CHECK(resolve_url(base, "https://cdn/y?sig=z")->text == "https://cdn/y?sig=z");
  CHECK(resolve_url(base, "https://u:p@cdn/y")->text == "https://cdn/y");
  CHECK(resolve_url(base, "https://u:p@cdn/y")->password.empty());
  for (const char* const bad : {"ftp://a/b", "file:///etc/passwd", "http://a b/", "http://",
                                "gopher://x", "javascript://x"}) {
    INFO(bad);
    const auto refused = resolve_url(base, bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kNetwork);
  }
  CHECK_FALSE(resolve_url(base, std::string(100'000, 'a')));
}

TEST_CASE("what people see holds no secrets") {
  CHECK(show_url("http://host/a?b=c") == "http://host/a?b=c");
  CHECK(show_url("http://me:secret@host/a@b#frag") == "http://host/a@b");
  CHECK(show_url("http://me:se@cret@host/a") == "http://host/a");
  CHECK(show_url("http://me:secret@host?a=@") == "http://host?a=@");
  CHECK(show_url("http://h/a?X-Amz-Signature=abc&X-Amz-Credential=k&part=2&access_token=t&key=k") ==
        "http://h/a?X-Amz-Signature=...&X-Amz-Credential=...&part=2&access_token=...&key=...");
  CHECK(show_url("http://h/a?keyboard=1&empty&=x&") == "http://h/a?keyboard=1&empty&=x&");
  for (const char* const name :
       {"code", "Code", "jwt", "id_jwt", "access_key", "AccessKey", "x-access-key", "api%5Fkey",
        "api%5fkey", "api.key", "%63ode", "%6aw%74", "client%2Dsecret", "X-Amz-Security-Token",
        "pass", "%70assword", "session_id"}) {
    CHECK(show_url(fmt::format("http://h/a?{}=hunter2&b=1", name)) ==
          fmt::format("http://h/a?{}=...&b=1", name));
  }
  for (const char* const name : {"encode", "postcode", "codec", "%63", "%", "%6", "compass"}) {
    CHECK(show_url(fmt::format("http://h/a?{}=1", name)) == fmt::format("http://h/a?{}=1", name));
  }
  CHECK(show_url("") == "");
}

}  // namespace
}  // namespace shunt::http
