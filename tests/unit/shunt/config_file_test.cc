#include "config_file.h"

#include <algorithm>

#include "support/catch.h"

namespace shunt::cli {
namespace {

std::string wrong(const std::string& text) {
  const Result<std::vector<ConfigItem>> config = parse_config("file", text);
  return config ? "" : config.error().describe();
}

// "TABLE.KEY at FILE:LINE: VALUE, VALUE", a line each.
std::string all_of(const std::string& text) {
  const Result<std::vector<ConfigItem>> config = parse_config("file", text);
  if (!config) return config.error().describe();
  std::string all;
  for (const ConfigItem& item : *config) {
    for (const std::string& name : item.table) all += name + ".";
    all += item.key + " at " + item.where + ":";
    for (const std::string& value : item.values) all += " <" + value + ">";
    all += "\n";
  }
  return all;
}

TEST_CASE("keys are found on their lines") {
  CHECK(all_of("# comment\r\nquiet = true\n\n[ faststart ]\n"
               "  \"jobs\"=1 # two\n[fetch.gc]\nx = [1, 2]") ==
        "quiet at file:2: <true>\n"
        "faststart. at file:4:\n"
        "faststart.jobs at file:5: <1>\n"
        "fetch. at file:6:\n"
        "fetch.gc. at file:6:\n"
        "fetch.gc.x at file:7: <1> <2>\n");
  CHECK(all_of("").empty());
  CHECK(all_of("\xef\xbb\xbfquiet = true") == "quiet at file:1: <true>\n");
}

TEST_CASE("values are what TOML says they are") {
  CHECK(all_of(
            "a = \"/tmp/a#b\" # c\nb = '\"x\" # y'\nc = [\n  \"one, two\", # three\n  \"[4]\",\n]\n"
            "d = \"\"\"\n5\n6\"\"\"\ne = \"\\u00e4\\t\\\"\"\nf = -7\ng = 1.5\nh = 0x10\n") ==
        "a at file:1: </tmp/a#b>\n"
        "b at file:2: <\"x\" # y>\n"
        "c at file:3: <one, two> <[4]>\n"
        "d at file:7: <5\n6>\n"
        "e at file:10: <\xc3\xa4\t\">\n"
        "f at file:11: <-7>\n"
        "g at file:12: <1.5>\n"
        "h at file:13: <16>\n");
  // A table may be written in a line, or with dots.
  CHECK(
      all_of("fetch = { jobs = 2 }\ncache.x = 1\n") ==
      "fetch. at file:1:\nfetch.jobs at file:1: <2>\ncache. at file:2:\ncache.x at file:2: <1>\n");
}

TEST_CASE("what is no configuration is told with its line") {
  CHECK(wrong("\nquiet") == "file:2: neither KEY = VALUE, [TABLE] nor # comment");
  CHECK(wrong("= 1") == "file:1: neither KEY = VALUE, [TABLE] nor # comment");
  CHECK(wrong("quiet = ") == "file:1: the value is missing");
  CHECK(wrong("[]") == "file:1: a table is [NAME]");
  CHECK(wrong("[fetch\n") == "file:1: a table is [NAME]");
  CHECK(wrong("[fetch]\na=1\na=2") == "file:3: 'a' is already set on line 2");
  CHECK(wrong("\n[fetch]\na=1\n[fetch]\nb=2") == "file:4: 'fetch' is already set on line 2");
  for (const char* const value :
       {"64K", "never", "\"a", "\"a\" b", "\"\\q\"", "\"a\"\"b\"", "1 2", "'a\n'"}) {
    INFO(value);
    CHECK_THAT(wrong(std::string("\na = ") + value), Catch::StartsWith("file:2: "));
  }
  CHECK(wrong("a = [1,") == "file:2: value having invalid format appeared in an array");
}

TEST_CASE("what no option can have is told with its line") {
  CHECK(wrong("\na = [[1]]") == "file:2: 'a' takes text, numbers, true or false");
  CHECK(wrong("\na = 1979-05-27") == "file:2: 'a' takes text, numbers, true or false");
  CHECK(wrong("\n[[fetch]]\na = 1") == "file:2: 'fetch' takes text, numbers, true or false");
  CHECK(wrong("\na = 99999999999999999999") == "file:2: the number of 'a' is too large");
  CHECK(wrong("\na = \"x\\u0000y\"") == "file:2: 'a' contains a zero byte");
}

TEST_CASE("a configuration is small, and not deep") {
  CHECK(wrong(std::string(100'000, '\n')) == "file: too large for a configuration file");
  CHECK(wrong("a = " + std::string(50'000, '[')) == "file: too large for a configuration file");
  std::string dots = "a";
  for (int i = 0; i < 20'000; ++i) dots += ".a";
  CHECK(wrong("\n" + dots + " = 1") == "file:2: the line is too long");
  CHECK_THAT(wrong("a = " + std::string(200, '[')), Catch::StartsWith("file:"));
}

}  // namespace
}  // namespace shunt::cli
