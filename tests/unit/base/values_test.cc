#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/checked.h"
#include "shunt/base/error.h"
#include "shunt/text/ascii.h"
#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("arithmetic sees every overflow") {
  CHECK(checked_add<std::uint64_t>(UINT64_MAX, 0) == UINT64_MAX);
  CHECK_FALSE(checked_add<std::uint64_t>(UINT64_MAX, 1));
  CHECK_FALSE(checked_mul<std::uint64_t>(std::uint64_t{1} << 33, std::uint64_t{1} << 31));
  CHECK(checked_shift(10, -10) == 0);
  CHECK_FALSE(checked_shift(10, -11));
  CHECK_FALSE(checked_shift(UINT64_MAX, 1));
  CHECK(round_up(4097, 4096) == 8192);
  CHECK(round_up(4096, 4096) == 4096);
  CHECK(round_down(4095, 4096) == 0);
}

TEST_CASE("ranges are half-open") {
  const ByteRange range{10, 20};
  CHECK(range.contains(10));
  CHECK_FALSE(range.contains(20));
  CHECK(range.intersect({15, 30}) == ByteRange{15, 20});
  CHECK(range.intersect({20, 30}).empty());
  CHECK(range.intersect({0, 5}).empty());
  CHECK(range.contains(ByteRange{10, 20}));
  CHECK_FALSE(range.contains(ByteRange{10, 21}));
}

TEST_CASE("an error reads path, operation, reason, place") {
  Error error = corrupt("bad", 12);
  CHECK(error.describe() == "bad (at byte 12)");
  error = error.with_path("a.mp4");
  error.operation = "parse";
  CHECK(error.describe() == "a.mp4: parse: bad (at byte 12)");
  CHECK(error.with_path("b.mp4").path == "a.mp4");
  CHECK(system_error(ENOSPC, "x", "write").code == ErrorCode::kLocalIo);
  CHECK(system_error(EOPNOTSUPP, "x", "write").code == ErrorCode::kUnsuitable);
}

TEST_CASE("a number is all of the text, and fits") {
  CHECK(ascii::parse_number<int>("-12") == -12);
  CHECK(ascii::parse_number<std::uint16_t>("00065535") == 65535);
  CHECK(ascii::parse_number<unsigned>("ff", 16) == 255);
  for (const char* const none : {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "65536"}) {
    CAPTURE(none);
    CHECK_FALSE(ascii::parse_number<std::uint16_t>(none));
  }
}

TEST_CASE("kinds of characters are those of ASCII") {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool digit = std::string_view("0123456789").find(c) != std::string_view::npos;
    const bool lower =
        std::string_view("abcdefghijklmnopqrstuvwxyz").find(c) != std::string_view::npos;
    CHECK(ascii::is_digit(c) == digit);
    CHECK(ascii::is_lower(c) == lower);
    CHECK(ascii::is_lower_hex(c) == (digit || (lower && c <= 'f')));
    const bool upper = ascii::lower(c) != c;
    CHECK(ascii::is_alphanumeric(c) == (digit || lower || upper));
  }
}

TEST_CASE("what means something in a URL is written in percent") {
  CHECK(ascii::percent_encoded("aZ09-._~") == "aZ09-._~");
  CHECK(ascii::percent_encoded("a/b c\xff%") == "a%2Fb%20c%FF%25");
  CHECK(ascii::percent_encoded("/a b", "/") == "/a%20b");
}

TEST_CASE("a request to stop is seen, and counted") {
  CancelToken token;
  CHECK(token.check());
  token.request(15);
  token.request(2);
  CHECK(token.requests() == 2);
  CHECK(token.signal_number() == 2);
  CHECK(token.check().error().code == ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace shunt
