// mp4gen: writes the generated MP4 test files.
//
//   mp4gen NAME OUT          writes one file; NAME may be huge-moov:N (an index of N MiB)
//   mp4gen --list            the names, what to expect of each, and what it exercises
//   mp4gen --all DIR         writes all of them to DIR/NAME.mp4 (not huge-moov)
//   mp4gen --expect NAME     prints what faststart should do: move, already, or refuse
#include <charconv>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "support/recipes.h"

namespace {

using shunt::test::Expect;
using shunt::test::Recipe;

constexpr std::string_view kHuge = "huge-moov:";

const char* word(Expect expect) {
  switch (expect) {
    case Expect::kMove:
      return "move";
    case Expect::kAlready:
      return "already";
    case Expect::kRefuse:
      return "refuse";
  }
  return "?";
}

int unknown(std::string_view name) {
  std::fprintf(stderr, "mp4gen: no such name: %.*s (try --list)\n", static_cast<int>(name.size()),
               name.data());
  return 2;
}

int list() {
  for (const Recipe& recipe : shunt::test::recipes()) {
    std::printf("%-24s %-8s %s\n", std::string(recipe.name).c_str(), word(recipe.expect),
                std::string(recipe.exercises).c_str());
  }
  std::printf("%-24s %-8s %s\n", "huge-moov:N", "move", "an index of N MiB behind a sparse mdat");
  return 0;
}

int write_one(std::string_view name, const std::string& path) {
  if (name.starts_with(kHuge)) {
    unsigned mebibytes = 0;
    const std::string_view digits = name.substr(kHuge.size());
    const auto parsed = std::from_chars(digits.begin(), digits.end(), mebibytes);
    if (parsed.ptr != digits.end() || mebibytes == 0 || mebibytes > 3000) return unknown(name);
    shunt::test::write_huge_moov(path, mebibytes);
    return 0;
  }
  const Recipe* recipe = shunt::test::find_recipe(name);
  if (recipe == nullptr) return unknown(name);
  recipe->build().write_file(path);
  return 0;
}

int run(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--list" && argc == 2) return list();
  if (first == "--expect" && argc == 3) {
    const std::string_view name = argv[2];
    const Recipe* recipe = shunt::test::find_recipe(name);
    if (recipe == nullptr && !name.starts_with(kHuge)) return unknown(name);
    std::puts(recipe == nullptr ? "move" : word(recipe->expect));
    return 0;
  }
  if (first == "--all" && argc == 3) {
    for (const Recipe& recipe : shunt::test::recipes()) {
      write_one(recipe.name, std::string(argv[2]) + "/" + std::string(recipe.name) + ".mp4");
    }
    return 0;
  }
  if (argc == 3 && !first.starts_with("--")) return write_one(first, argv[2]);
  std::fputs("usage: mp4gen NAME OUT | --list | --all DIR | --expect NAME\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "mp4gen: %s\n", problem.what());
    return 1;
  }
}
