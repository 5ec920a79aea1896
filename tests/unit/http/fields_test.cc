#include "shunt/http/fields.h"

#include <limits>

#include "shunt/blob/origin.h"
#include "support/catch.h"

namespace shunt::http {
namespace {

TEST_CASE("Content-Range: what servers send") {
  const auto part = parse_content_range("bytes 0-99/1000");
  REQUIRE(part);
  CHECK(part->range == ByteRange{0, 100});
  CHECK(part->total == 1000u);

  const auto no_total = parse_content_range("bytes 5-5/*");
  REQUIRE(no_total);
  CHECK(no_total->range == ByteRange{5, 6});
  CHECK_FALSE(no_total->total);

  const auto refused = parse_content_range("bytes */0");
  REQUIRE(refused);
  CHECK_FALSE(refused->range);
  CHECK(refused->total == 0u);

  CHECK(parse_content_range("Bytes 0-0/1"));
  CHECK(parse_content_range("bytes 0-18446744073709551613/18446744073709551614"));
}

TEST_CASE("Content-Range: what does not hold together is corrupt") {
  for (const char* const bad : {"",
                                "bytes",
                                "bytes ",
                                "bytes 0-99",
                                "bytes 0-99/",
                                "bytes /10",
                                "bytes -/10",
                                "bytes 5-4/10",
                                "bytes 0-10/10",
                                "bytes 0-9/9",
                                "bytes */*",
                                "lines 0-9/10",
                                "bytes 0-9/10 ,",
                                "bytes 0 - 9/10",
                                "bytes -1-9/10",
                                "bytes +0-9/10",
                                "bytes 0x0-9/10",
                                "bytes 0-18446744073709551615/*",
                                "bytes 0-18446744073709551616/*",
                                "bytes 0-9/18446744073709551616",
                                "bytes=0-9/10",
                                "bytes 0-9/10/10",
                                "bytes 0--9/10"}) {
    INFO(bad);
    const auto parsed = parse_content_range(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("challenges: one, several, and with commas in quotes") {
  const auto bearer = parse_challenges(
      R"(Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push")");
  REQUIRE(bearer.size() == 1);
  CHECK(bearer[0].scheme == "bearer");
  CHECK(bearer[0].parameters.at("realm") == "https://auth.example/token");
  CHECK(bearer[0].parameters.at("scope") == "repository:a/b:pull,push");

  const auto both =
      parse_challenges(R"(Negotiate, Basic Realm = "a \"b\"" , BEARER realm=x,scope=y)");
  REQUIRE(both.size() == 3);
  CHECK(both[0].scheme == "negotiate");
  CHECK(both[0].parameters.empty());
  CHECK(both[1].scheme == "basic");
  CHECK(both[1].parameters.at("realm") == "a \"b\"");
  CHECK(both[2].scheme == "bearer");
  CHECK(both[2].parameters.at("realm") == "x");
  CHECK(both[2].parameters.at("scope") == "y");
}

TEST_CASE("challenges: what cannot be read is left out, the rest stays") {
  const auto token68 = parse_challenges("NTLM TlRMTVNTUAAC==, Basic realm=x");
  REQUIRE(token68.size() == 2);
  CHECK(token68[0].parameters.empty());
  CHECK(token68[1].parameters.at("realm") == "x");

  const auto odd = parse_challenges("=, @@ \"x\", Basic realm=x, bad=a b, good=1");
  REQUIRE_FALSE(odd.empty());
  CHECK(odd.back().scheme == "basic");
  CHECK(odd.back().parameters.at("realm") == "x");
  CHECK(odd.back().parameters.at("good") == "1");
  CHECK_FALSE(odd.back().parameters.contains("bad"));

  CHECK(parse_challenges("Basic realm=\"never ends").at(0).parameters.empty());
  CHECK(parse_challenges("").empty());
  CHECK(parse_challenges(" , ,, ").empty());
  CHECK(parse_challenges("Basic realm=a, realm=b").at(0).parameters.at("realm") == "a");
}

TEST_CASE("challenges: their number is bounded") {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "Scheme" + std::to_string(i) + " a=b, ";
  CHECK(parse_challenges(many).size() == 16);
  std::string wide = "Basic a=b";
  for (int i = 0; i < 100; ++i) wide += ", p" + std::to_string(i) + "=x";
  CHECK(parse_challenges(wide).at(0).parameters.size() == 32);
}

TEST_CASE("HTTP dates in their three forms") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT") == 1709251200);
  CHECK(parse_http_date("Monday, 01-Jan-24 00:00:00 GMT") == 1704067200);
  for (const char* const bad :
       {"", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "0", "-1", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 00 Nov 1994 08:49:37 GMT"}) {
    INFO(bad);
    CHECK_FALSE(parse_http_date(bad));
  }
}

TEST_CASE("Retry-After: seconds or a date") {
  const std::int64_t now = 784111777;
  CHECK(parse_retry_after("0", now) == 0);
  CHECK(parse_retry_after("120", now) == 120);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now) == 60);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == 0);
  CHECK(parse_retry_after("99999999999999999999999", now) ==
        std::numeric_limits<std::int64_t>::max());
  CHECK_FALSE(parse_retry_after("-1", now));
  CHECK_FALSE(parse_retry_after("soon", now));
  CHECK_FALSE(parse_retry_after("", now));
  CHECK_FALSE(parse_retry_after("1.5", now));
}

TEST_CASE("ETags: strong ones alone") {
  CHECK(is_strong_etag("\"abc\""));
  CHECK_FALSE(is_strong_etag("\"\""));
  CHECK_FALSE(is_strong_etag("W/\"abc\""));
  CHECK_FALSE(is_strong_etag("abc"));
  CHECK_FALSE(is_strong_etag("\""));
  CHECK_FALSE(is_strong_etag("\"a\"b\""));
  CHECK_FALSE(is_strong_etag("\"a b\""));
  CHECK_FALSE(is_strong_etag(""));
}

TEST_CASE("ETags: an empty one is none, strong or weak") {
  CHECK(is_etag("\"abc\""));
  CHECK(is_etag("W/\"abc\""));
  for (const char* const text :
       {"\"\"", "W/\"\"", "W/", "", "abc", "W/abc", "\"abc", "w/\"abc\""}) {
    CHECK_FALSE(is_etag(text));
  }
}

TEST_CASE("freshness: a time of storing in the future is not believed") {
  constexpr blob::Freshness kFresh{1'000'000, 100};
  CHECK(kFresh.at(1'000'000));
  CHECK(kFresh.at(1'000'099));
  CHECK_FALSE(kFresh.at(1'000'100));
  CHECK_FALSE(kFresh.at(999'999));
  CHECK_FALSE(blob::Freshness{}.at(0));
  CHECK_FALSE(blob::Freshness{std::numeric_limits<std::int64_t>::min(), 5}.at(1'000'000));
  CHECK(kFresh.and_also({1'000'000, 5}).seconds == 5);
  CHECK(kFresh.and_also({1'000'000, 500}).seconds == 100);
}

TEST_CASE("how long an answer stays fresh") {
  const std::int64_t now = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  CHECK(fresh_for("max-age=100", "", "", "", now) == 100);
  CHECK(fresh_for("public, Max-Age=\"100\"", "", "", "", now) == 100);
  CHECK(fresh_for("max-age=100", "", "", "40", now) == 60);
  CHECK(fresh_for("max-age=100", "", "", "100", now) == 0);
  CHECK(fresh_for("max-age=100, immutable", "", "", "", now) == 100);
  CHECK(fresh_for("max-age=0", "", "", "", now) == 0);
  CHECK(fresh_for("immutable", "", "", "", now) == 0);
  CHECK(fresh_for("", "", "", "", now) == 0);

  const char* const date = "Sun, 06 Nov 1994 08:40:00 GMT";
  const char* const expires = "Sun, 06 Nov 1994 08:50:00 GMT";
  // It was sent 577 seconds ago, wherever it has been since then.
  CHECK(fresh_for("", expires, date, "", now) == 23);
  CHECK(fresh_for("", expires, "", "", now) == 23);
  CHECK(fresh_for("", expires, date, "590", now) == 10);
  CHECK(fresh_for("max-age=1000", expires, date, "", now) == 423);
  CHECK(fresh_for("max-age=1000", expires, date, "10", now) == 423);
  CHECK(fresh_for("max-age=5", expires, date, "", now) == 0);
  CHECK(fresh_for("max-age=5", "", "yesterday", "", now) == 0);
  // A server whose clock is ahead of this one.
  CHECK(fresh_for("max-age=5", "", "Sun, 06 Nov 1994 08:59:37 GMT", "", now) == 5);
  CHECK(fresh_for("", "0", date, "", now) == 0);
  CHECK(fresh_for("", date, expires, "", now) == 0);
}

TEST_CASE("what forbids to use a copy unasked wins, and so does what cannot be read") {
  const std::int64_t now = 784111777;
  CHECK(fresh_for("max-age=100, no-store", "", "", "", now) == 0);
  CHECK(fresh_for("NO-CACHE, max-age=100", "", "", "", now) == 0);
  CHECK(fresh_for("no-cache=\"set-cookie\", max-age=100", "", "", "", now) == 0);
  CHECK(fresh_for("max-age=", "", "", "", now) == 0);
  CHECK(fresh_for("max-age=-5", "", "", "", now) == 0);
  CHECK(fresh_for("max-age=100", "", "", "old", now) == 0);
  CHECK(fresh_for("max-age=100, max-age=50", "", "", "", now) == 50);
  // Words in quotes are an argument, not directives.
  CHECK(fresh_for("private=\"no-store, no-cache\", max-age=100", "", "", "", now) == 100);
  CHECK(fresh_for("x-max-age=100", "", "", "", now) == 0);
  // Longer than anybody can mean, without overflow.
  CHECK(fresh_for("max-age=99999999999999999999", "", "", "", now) > 1'000'000'000);
}

}  // namespace
}  // namespace shunt::http
