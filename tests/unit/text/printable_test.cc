#include "shunt/text/printable.h"

#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("what can be read stays as it is") {
  for (const char* const text : {"", "a b", "back\\slash",
                                 "Stra\xc3\x9f"
                                 "e",
                                 "\xc2\xa0", "\xe2\x82\xac", "\xf0\x9f\x8e\xac"}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("what steers a terminal is spelt out") {
  CHECK(printable("\x1b[2J") == "\\x1b[2J");
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\x0dd");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");
}

TEST_CASE("what a server says is shown in one line of bounded length") {
  CHECK(one_line("not found\r\n") == "not found");
  CHECK(one_line("a\nb\tc") == "a b c");
  CHECK(one_line("\x1b[2J\x07") == "\\x1b[2J\\x07");
  CHECK(one_line("caf\xc3\xa9") == "caf\xc3\xa9");
  CHECK(one_line("caf\xe9") == "caf\\xe9");
  CHECK(one_line(std::string(300, 'x')) == std::string(200, 'x') + "...");
  CHECK(one_line("abcdef", 3) == "abc...");
  CHECK(one_line("ab\xc3\xa9 and more", 3) == "ab...");
  CHECK(one_line("\n \t").empty());
}

TEST_CASE("text is UTF-8 or not, whatever it shows") {
  for (const char* const text : {"", "a\nb\x1b", "Stra\xc3\x9f", "\xf0\x9f\x8e\xac"}) {
    CHECK(is_utf8(text));
  }
  for (const char* const text : {"caf\xe9", "\xc3", "a\xe2\x82", "\xed\xa0\x80", "\xc0\x80"}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("bytes that are no UTF-8 are spelt out, each for itself") {
  CHECK(printable("\x9b"
                  "31m") == "\\x9b31m");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(printable("\xc0\x9b") == "\\xc0\\x9b");
  CHECK(printable("\xe0\x82\x9b") == "\\xe0\\x82\\x9b");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xc3"
                  "a") ==
        "\\xc3"
        "a");
}

}  // namespace
}  // namespace shunt
