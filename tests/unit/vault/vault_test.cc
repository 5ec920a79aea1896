#include "shunt/vault/vault.h"

#include <fstream>
#include <unordered_map>

#include "unit/vault/support.h"

namespace shunt::vault {
namespace {

TEST_CASE("names that are no names are refused everywhere") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  const std::string longest(200, 'a');
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string(".a"), std::string("a/b"),
        std::string("../a"), std::string("a b"), std::string("a\n"), std::string("a\0b", 3),
        std::string("\xc3\xa4"), longest + "a"}) {
    INFO(name);
    const auto reserved = vault->reserve(name);
    REQUIRE_FALSE(reserved);
    CHECK(reserved.error().code == ErrorCode::kUsage);
    CHECK(vault->open_item(name).error().code == ErrorCode::kUsage);
    CHECK(vault->retire(name).error().code == ErrorCode::kUsage);
    CHECK(vault->pin(name).error().code == ErrorCode::kUsage);
    CHECK(vault->unpin(name).error().code == ErrorCode::kUsage);
  }
  for (const std::string& name : {longest, std::string("pins"), std::string("a.b_C-9")}) {
    CHECK(put(*vault, name, 1));
    CHECK(vault->pin(name));
    CHECK(vault->open_item(name).value());
  }
  CHECK(vault->list()->size() == 3);
}

TEST_CASE("an item has its name once it is committed, and not before") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  auto reservation = reserve_with(*vault, "a", "abc");
  CHECK_FALSE(vault->open_item("a").value());
  CHECK(vault->list()->empty());
  {
    const auto item = std::move(reservation).commit();
    REQUIRE(item);
    CHECK(item->name() == "a");
    CHECK(item->file().path() == dir.file("v/a"));
    CHECK(item->writable());
  }
  auto item = vault->open_item("a");
  REQUIRE(item);
  REQUIRE(*item);
  CHECK(content((*item)->file()) == "abc");
  CHECK((*item)->file().status()->st_mode == (S_IFREG | 0600));
  CHECK(hidden_files(dir.file("v")) == 0);
}

TEST_CASE("a name is committed once; the item that has it stays") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  auto first = vault->reserve("a");
  auto second = vault->reserve("a");
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(first->file().write_at(0, as_bytes("first")));
  REQUIRE(second->file().write_at(0, as_bytes("second")));
  REQUIRE(std::move(*first).commit());
  const auto refused = std::move(*second).commit();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kBusy);
  CHECK(content((*vault->open_item("a"))->file()) == "first");
  CHECK(hidden_files(dir.file("v")) == 0);
}

TEST_CASE("a reservation that is given up, or moved, leaves nothing twice") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  {
    auto first = vault->reserve("a");
    REQUIRE(first);
    const Reservation second = std::move(*first);
    CHECK(hidden_files(dir.file("v")) == 1);
  }
  CHECK(hidden_files(dir.file("v")) == 0);
  CHECK(vault->list()->empty());
}

TEST_CASE("what is retired while it is open can be read until it is closed") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a", 10'000, 'q'));
  const auto item = vault->open_item("a");
  REQUIRE(vault->retire("a").value());
  CHECK_FALSE(vault->open_item("a").value());
  CHECK_FALSE(vault->retire("a").value());
  CHECK(content((*item)->file()) == std::string(10'000, 'q'));
  REQUIRE(put(*vault, "a", 1));
  CHECK(content((*item)->file()) == std::string(10'000, 'q'));
}

TEST_CASE("only the very item is retired when one is given") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a", 1, '1'));
  const auto old = vault->open_item("a");
  REQUIRE(vault->retire("a", &**old).value());
  REQUIRE(put(*vault, "a", 1, '2'));
  CHECK_FALSE(vault->retire("a", &**old).value());
  CHECK(content((*vault->open_item("a"))->file()) == "2");
}

// Tells of each file that is opened, once it is.
class TellingKernel final : public io::Kernel {
 public:
  std::function<void(const std::string&)> opened;
  int open(const char* path, int flags, mode_t mode) override {
    const int fd = Kernel::open(path, flags, mode);
    if (opened) opened(path);
    return fd;
  }
};

TEST_CASE("what loses its name while it is being opened is not taken for the item") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  const auto rival = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a", 3, '1'));
  TellingKernel kernel;
  const io::KernelOverride guard(&kernel);
  bool replaced = false;
  SECTION("nothing follows") {
    kernel.opened = [&](const std::string& path) {
      if (path == dir.file("v/a") && !std::exchange(replaced, true)) (void)rival->retire("a");
    };
    const auto item = vault->open_item("a");
    REQUIRE(item);
    CHECK_FALSE(*item);
  }
  SECTION("another item follows") {
    kernel.opened = [&](const std::string& path) {
      if (path != dir.file("v/a") || std::exchange(replaced, true)) return;
      (void)rival->retire("a");
      (void)put(*rival, "a", 3, '2');
    };
    const auto item = vault->open_item("a");
    REQUIRE(item);
    REQUIRE(*item);
    CHECK(content((*item)->file()) == "222");
  }
  CHECK(replaced);
}

TEST_CASE("opening an item marks it as used, listing does not") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a", 5000));
  set_used(dir.file("v/a"), 1000);
  CHECK(vault->list()->at(0).last_used == 1000);
  const ItemStatus status = vault->list()->at(0);
  CHECK(status.last_used == 1000);
  CHECK(status.size == 5000);
  CHECK(status.allocated >= 5000);
  CHECK_FALSE(status.pinned);
  REQUIRE(vault->open_item("a").value());
  CHECK(vault->list()->at(0).last_used >= ::time(nullptr) - 60);
}

TEST_CASE("10,000 items are listed, and nothing else that lies about") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  for (int i = 0; i < 10'000; ++i) {
    const int fd =
        ::open(dir.file("v/item-" + std::to_string(i)).c_str(), O_CREAT | O_WRONLY, 0600);
    REQUIRE(fd >= 0);
    REQUIRE(::ftruncate(fd, i) == 0);
    ::close(fd);
  }
  REQUIRE(vault->pin("item-77"));
  auto reserved = vault->reserve("reserved");
  REQUIRE(::mkdir(dir.file("v/subdirectory").c_str(), 0700) == 0);
  REQUIRE(::symlink("item-1", dir.file("v/link").c_str()) == 0);
  std::unordered_map<std::string, ItemStatus> found;
  for (const ItemStatus& item : items_of(*vault)) CHECK(found.emplace(item.name, item).second);
  REQUIRE(found.size() == 10'000);
  for (int i = 0; i < 10'000; ++i) {
    const ItemStatus& item = found.at("item-" + std::to_string(i));
    if (item.size != static_cast<std::uint64_t>(i) || item.pinned != (i == 77)) FAIL(item.name);
  }
  const auto link = vault->open_item("link");
  REQUIRE_FALSE(link);
  CHECK(link.error().code == ErrorCode::kLocalIo);
}

TEST_CASE("a pin needs an item, and goes with it") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  const auto refused = vault->pin("a");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kFailed);
  REQUIRE(put(*vault, "a", 1));
  REQUIRE(vault->pin("a"));
  REQUIRE(vault->pin("a"));
  CHECK(vault->list()->at(0).pinned);
  REQUIRE(vault->unpin("a"));
  REQUIRE(vault->unpin("a"));
  CHECK_FALSE(vault->list()->at(0).pinned);
  REQUIRE(vault->pin("a"));
  REQUIRE(vault->retire("a").value());
  REQUIRE(put(*vault, "a", 1));
  CHECK_FALSE(vault->list()->at(0).pinned);
}

TEST_CASE("a directory is made for its owner alone; one that others may write to is refused") {
  const test::TempDir dir;
  CHECK(open_vault(dir.file("a/b/v")));
  struct stat status {};
  REQUIRE(::stat(dir.file("a/b/v").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  for (const mode_t mode : {0770U, 0702U}) {
    REQUIRE(::chmod(dir.file("a/b/v").c_str(), mode) == 0);
    const auto refused = Vault::open(dir.file("a/b/v"), {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kLocalIo);
  }
  REQUIRE(::chmod(dir.file("a/b/v").c_str(), 0755) == 0);
  CHECK(Vault::open(dir.file("a/b/v"), {}));
  {
    const auto vault = open_vault(dir.file("a/b/v"));
    REQUIRE(put(*vault, "a", 1));
    REQUIRE(vault->pin("a"));
  }
  REQUIRE(::chmod(dir.file("a/b/v/.pins").c_str(), 0777) == 0);
  CHECK_FALSE(Vault::open(dir.file("a/b/v"), {}));
  std::filesystem::create_directory(dir.file("plain"));
  { std::ofstream(dir.file("plain/file")) << "x"; }
  const auto no_directory = Vault::open(dir.file("plain/file/v"), {});
  REQUIRE_FALSE(no_directory);
  CHECK(no_directory.error().code == ErrorCode::kLocalIo);
}

TEST_CASE("an item that others may write to is not opened") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  REQUIRE(put(*vault, "a", 1));
  REQUIRE(::chmod(dir.file("v/a").c_str(), 0606) == 0);
  const auto refused = vault->open_item("a");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kIntegrity);
  REQUIRE(::chmod(dir.file("v/a").c_str(), 0604) == 0);
  CHECK(vault->open_item("a").value());
}

// Needs root, to become somebody else for a while.
TEST_CASE("another user's directory is refused; root's may be read") {
  if (::geteuid() != 0) return;
  const test::TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  {
    const auto vault = open_vault(dir.file("root"), 1 << 20);
    REQUIRE(put(*vault, "a", 3));
    REQUIRE(put(*vault, "b", 3));
  }
  REQUIRE(::chmod(dir.file("root").c_str(), 0755) == 0);
  REQUIRE(::chmod(dir.file("root/a").c_str(), 0644) == 0);
  CHECK(open_vault(dir.file("theirs")));
  REQUIRE(::chown(dir.file("theirs").c_str(), 4242, 4242) == 0);
  CHECK_FALSE(Vault::open(dir.file("theirs"), {}));  // who may put links in root's way

  REQUIRE(::seteuid(4343) == 0);
  auto theirs = Vault::open(dir.file("theirs"), {});
  auto vault = Vault::open(dir.file("root"), Options{Durability::kUnsynced, 1 << 20});
  if (vault) {
    auto item = (*vault)->open_item("a");
    CHECK((item && *item && !(*item)->writable() && content((*item)->file()) == "xxx"));
    CHECK((*vault)->list()->size() == 2);
    CHECK_FALSE((*vault)->admit(1).value());
    CHECK((*vault)->reserve("c").error().code == ErrorCode::kLocalIo);
    CHECK((*vault)->retire("a").error().code == ErrorCode::kLocalIo);
    CHECK_FALSE((*vault)->retire("none").value());
  }
  REQUIRE(::seteuid(0) == 0);
  REQUIRE_FALSE(theirs);
  CHECK(theirs.error().code == ErrorCode::kLocalIo);
  REQUIRE(vault);
}

}  // namespace
}  // namespace shunt::vault
