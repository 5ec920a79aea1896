#include <fstream>

#include "support/catch.h"
#include "unit/vault/support.h"

namespace shunt::vault {
namespace {

TEST_CASE("a reservation that lives is left alone, one whose process died is not") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  auto mine = reserve_with(*vault, "a", "mine");
  Child child([&] {
    const auto own = Vault::open(dir.file("v"), Options{Durability::kUnsynced, 0});
    auto theirs = (*own)->reserve("a");
    if (theirs && theirs->file().write_at(0, as_bytes("theirs"))) Child::wait_for_end();
  });
  REQUIRE(child.is_ready());
  REQUIRE(vault->sweep());
  CHECK(hidden_files(dir.file("v")) == 2);
  child.kill();
  CHECK(hidden_files(dir.file("v")) == 2);
  REQUIRE(vault->sweep());
  CHECK(hidden_files(dir.file("v")) == 1);
  REQUIRE(std::move(mine).commit());
  CHECK(content((*vault->open_item("a"))->file()) == "mine");
}

TEST_CASE("the sweep keeps its hands off everything else") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a.new", 1));
  const std::vector<std::string> others = {".a.new",
                                           ".a.0123.new",
                                           ".0123456789abcdef.new",
                                           ".a.0123456789abcdeg.new",
                                           "..0123456789abcdef.new",
                                           ".other",
                                           ".a.0123456789abcdef.new~"};
  for (const std::string& name : others) std::ofstream(dir.file("v/" + name)) << "x";
  std::ofstream(dir.file("v/.a.0123456789abcdef.new")) << "x";
  REQUIRE(vault->sweep());
  for (const std::string& name : others) {
    INFO(name);
    CHECK(exists(dir.file("v/" + name)));
  }
  CHECK_FALSE(exists(dir.file("v/.a.0123456789abcdef.new")));
  CHECK(vault->list()->size() == 1);
}

TEST_CASE("pins of items that are gone are swept") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a", 1));
  REQUIRE(put(*vault, "b", 1));
  REQUIRE(vault->pin("a"));
  REQUIRE(vault->pin("b"));
  REQUIRE(::unlink(dir.file("v/a").c_str()) == 0);
  REQUIRE(vault->sweep());
  REQUIRE(put(*vault, "a", 1));
  for (const ItemStatus& item : items_of(*vault)) CHECK(item.pinned == (item.name == "b"));
}

TEST_CASE("opening sweeps, unless somebody has lately") {
  const test::TempDir dir;
  const std::string leftover = dir.file("v/.a.0123456789abcdef.new");
  open_vault(dir.file("v"));
  std::ofstream(leftover) << "x";
  open_vault(dir.file("v"));
  CHECK(exists(leftover));
  set_used(dir.file("v/.lock"), ::time(nullptr) - 3'600);
  open_vault(dir.file("v"));
  CHECK_FALSE(exists(leftover));
  std::ofstream(leftover) << "x";
  open_vault(dir.file("v"));
  CHECK(exists(leftover));
}

}  // namespace
}  // namespace shunt::vault
