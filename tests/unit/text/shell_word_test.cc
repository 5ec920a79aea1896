#include "shunt/text/shell_word.h"

#include <fmt/format.h>

#include <cstdio>

#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("a name is quoted where the shell needs it") {
  CHECK(shell_word("dir/film-1.mp4") == "dir/film-1.mp4");
  CHECK(shell_word("Stra\xc3\x9f"
                   "e") ==
        "Stra\xc3\x9f"
        "e");
  CHECK(shell_word("my film.mp4") == "'my film.mp4'");
  CHECK(shell_word("it's") == R"('it'\''s')");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("-dash") == "./-dash");
  CHECK(shell_word("-a dash") == "'./-a dash'");
}

TEST_CASE("the shell reads the name again") {
  for (const char* const name : {"a$b", "a`b`", "a\\b", "a\"b'c", "~", "#x", "a*?[b]", "a&b;c|d>e",
                                 "a\tb", "!x", "(x)", "{a,b}"}) {
    FILE* const pipe = ::popen(fmt::format("printf %s {}", shell_word(name)).c_str(), "r");
    REQUIRE(pipe != nullptr);
    char text[64] = {};
    const std::size_t size = std::fread(text, 1, sizeof text, pipe);
    ::pclose(pipe);
    CHECK(std::string_view(text, size) == name);
  }
}

}  // namespace
}  // namespace shunt
