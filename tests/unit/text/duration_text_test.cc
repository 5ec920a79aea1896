#include "shunt/text/duration_text.h"

#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("spans of time are read with their units, seconds without one") {
  using std::chrono::milliseconds;
  CHECK(parse_duration("2").value() == milliseconds(2000));
  CHECK(parse_duration("0").value() == milliseconds(0));
  CHECK(parse_duration("0.5s").value() == milliseconds(500));
  CHECK(parse_duration(".25").value() == milliseconds(250));
  CHECK(parse_duration("250ms").value() == milliseconds(250));
  CHECK(parse_duration("1.5m").value() == milliseconds(90'000));
  CHECK(parse_duration("2h").value() == milliseconds(7'200'000));
  CHECK(parse_duration("1.0009999s").value() == milliseconds(1000));
}

TEST_CASE("what is no span of time is refused, and nothing overflows") {
  for (const char* const text : {"", "-1", "s", ".", "1d", "1 s", "1.2.3", "1sx", "0x1", "inf",
                                 "99999999999999999999", "600h", "2147483.648"}) {
    CAPTURE(text);
    const auto span = parse_duration(text);
    REQUIRE_FALSE(span);
    CHECK(span.error().code == ErrorCode::kUsage);
  }
  CHECK(parse_duration("2147483.647"));
}

TEST_CASE("a span is told in seconds") {
  CHECK(format_duration(std::chrono::milliseconds(2000)) == "2 s");
  CHECK(format_duration(std::chrono::milliseconds(250)) == "0.25 s");
}

}  // namespace
}  // namespace shunt
