#include "shunt/text/range_text.h"

#include <string>

#include "support/catch.h"

namespace shunt {
namespace {

ByteRange meant(const std::string& text, std::uint64_t size) {
  return parse_range(text).value().of(size).value();
}

ErrorCode refused(const std::string& text) {
  const Result<RangeText> parsed = parse_range(text);
  INFO(text);
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().code;
}

TEST_CASE("each way to write a range") {
  CHECK(meant("0-0", 10) == ByteRange{0, 1});
  CHECK(meant("2-5", 10) == ByteRange{2, 6});
  CHECK(meant("2+5", 10) == ByteRange{2, 7});
  CHECK(meant("2-", 10) == ByteRange{2, 10});
  CHECK(meant("-3", 10) == ByteRange{7, 10});
  CHECK(meant("1K+1M", 1 << 30) == ByteRange{1024, 1024 + (1 << 20)});
  CHECK(meant("1K-2K", 1 << 30) == ByteRange{1024, 2049});
}

TEST_CASE("a range ends with what there is, as in HTTP") {
  CHECK(meant("2-500", 10) == ByteRange{2, 10});
  CHECK(meant("9+18446744073709551615", 10) == ByteRange{9, 10});
  CHECK(meant("-500", 10) == ByteRange{0, 10});
  CHECK(meant("0-18446744073709551615", 10) == ByteRange{0, 10});
}

TEST_CASE("of nothing, a range from its begin is nothing, however it is written") {
  for (const char* const text : {"-1", "0-", "0-9", "0+10"}) {
    INFO(text);
    CHECK(meant(text, 0) == ByteRange{0, 0});
  }
}

TEST_CASE("a range behind the end is an error, not nothing") {
  CHECK(parse_range("10-").value().of(10).error().code == ErrorCode::kUsage);
  CHECK(parse_range("10+1").value().of(10).error().code == ErrorCode::kUsage);
  CHECK(parse_range("1-").value().of(0).error().code == ErrorCode::kUsage);
}

TEST_CASE("what is no range is refused") {
  for (const char* const text :
       {"", "5", "-", "+", "+5", "5+", "5-4", "5+0", "-0", "a-b", "1--2", "1-2-3", "-1-2", "1+-2",
        "18446744073709551616-", "1.5-2", " 1-2", "1-2 "}) {
    CHECK(refused(text) == ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace shunt
