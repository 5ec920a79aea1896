#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "shunt/vault/locked_file.h"
#include "support/catch.h"
#include "unit/vault/support.h"

namespace shunt::vault {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kUnit = 64 << 10;  // of every file system's blocks a multiple

std::vector<std::string> names(const Vault& vault) {
  std::vector<std::string> found;
  for (const ItemStatus& item : items_of(vault)) found.push_back(item.name);
  std::sort(found.begin(), found.end());
  return found;
}
using Names = std::vector<std::string>;

// Items "a", "b", … of one unit each, used in this order.
void fill(const test::TempDir& dir, Vault& vault, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    REQUIRE(put(vault, name, kUnit));
    set_used(dir.file("v/" + name), 1'000 + i);
  }
}

TEST_CASE("the least recently used goes first, as far as needed") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  fill(dir, *vault, 4);
  REQUIRE(vault->open_item("a").value());  // used now
  const auto left = vault->evict(2 * kUnit);
  REQUIRE(left);
  CHECK(*left == 2 * kUnit);
  CHECK(names(*vault) == Names{"a", "d"});
  CHECK(vault->evict(2 * kUnit).value() == 2 * kUnit);
  CHECK(names(*vault) == Names{"a", "d"});
  CHECK(vault->evict(0).value() == 0);
  CHECK(names(*vault).empty());
}

TEST_CASE("what is pinned, or open here or in another process, stays") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  fill(dir, *vault, 5);
  REQUIRE(vault->pin("a"));
  std::optional<Item> here = std::move(*vault->open_item("b"));
  Child child([&] {
    const auto own = Vault::open(dir.file("v"), Options{Durability::kUnsynced, 0});
    const auto item = (*own)->open_item("c");
    if (item && *item) Child::wait_for_end();
  });
  REQUIRE(child.is_ready());
  CHECK(vault->evict(0).value() == 3 * kUnit);
  CHECK(names(*vault) == Names{"a", "b", "c"});
  child.finish();
  CHECK(vault->evict(0).value() == 2 * kUnit);
  CHECK(names(*vault) == Names{"a", "b"});
  here.reset();
  REQUIRE(vault->unpin("a"));
  CHECK(vault->evict(0).value() == 0);
}

TEST_CASE("an item is safe from the moment it is committed") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  auto reservation = vault->reserve("a");
  REQUIRE(reservation);
  REQUIRE(reservation->file().write_at(0, as_bytes(std::string(kUnit, 'x'))));
  // A rival evicts and sweeps before and after each call that commit() makes.
  RecordingKernel kernel;
  bool at_work = false;
  int rivals = 0;
  kernel.before = [&](const std::string&) {
    if (std::exchange(at_work, true)) return;
    const auto rival = Vault::open(dir.file("v"), Options{Durability::kUnsynced, 0});
    if ((*rival)->evict(0) && (*rival)->sweep()) ++rivals;
    at_work = false;
  };
  const io::KernelOverride guard(&kernel);
  const auto item = std::move(*reservation).commit();
  REQUIRE(item);
  kernel.before("after");
  kernel.before = nullptr;
  CHECK(rivals >= 2);
  CHECK(names(*vault) == Names{"a"});
}

TEST_CASE("readers and evictors at once: an item that was opened is whole and has its name") {
  const test::TempDir dir;
  const auto setup = open_vault(dir.file("v"));
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(700);
  const pid_t evictor = ::fork();
  if (evictor == 0) {
    const auto own = Vault::open(dir.file("v"), Options{Durability::kUnsynced, 0});
    bool fine = own.has_value();
    while (fine && std::chrono::steady_clock::now() < until) fine = (*own)->evict(0).has_value();
    ::_exit(fine ? 0 : 1);
  }
  std::atomic<int> opened{0};
  std::atomic<int> wrong{0};
  std::atomic<int> failed{0};
  const auto work = [&] {
    while (std::chrono::steady_clock::now() < until) {
      (void)put(*setup, "a", kUnit);
      const auto item = setup->open_item("a");
      if (!item) {
        ++failed;
        continue;
      }
      if (!*item) continue;
      ++opened;
      // Nobody may take the name of an open item: neither evictor nor committer.
      struct stat named {};
      if (::lstat(dir.file("v/a").c_str(), &named) != 0 ||
          named.st_ino != (*item)->file().status()->st_ino ||
          (*item)->file().size().value() != kUnit) {
        ++wrong;
      }
    }
  };
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
  int status = -1;
  REQUIRE(::waitpid(evictor, &status, 0) == evictor);
  CHECK(status == 0);
  CHECK(wrong == 0);
  CHECK(failed == 0);
  CHECK(opened > 0);
}

TEST_CASE("a budget of nothing is none") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"));
  CHECK(vault->admit(UINT64_MAX).value());
}

TEST_CASE("admission counts what was admitted, written or not") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 10 * kUnit);
  // The first one scans; from then on there is a count.
  CHECK(vault->admit(4 * kUnit).value());
  CHECK(vault->admit(3 * kUnit).value());
  CHECK(vault->admit(3 * kUnit).value());
  // Full by the count. A scan finds nothing written and lets more come.
  CHECK(vault->admit(kUnit).value());
  // Another vault, here or in another process, goes by the same count.
  CHECK(std::filesystem::file_size(dir.file("v/.usage")) == 32);
}

TEST_CASE("admission evicts what was used longest ago") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  fill(dir, *vault, 5);
  CHECK(vault->admit(2 * kUnit).value());
  CHECK(names(*vault) == Names{"c", "d", "e"});
  REQUIRE(put(*vault, "new", 2 * kUnit));
  CHECK(allocated(*vault) <= 5 * kUnit);
}

TEST_CASE("what cannot be had evicts nothing") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  fill(dir, *vault, 5);
  CHECK_FALSE(vault->admit(5 * kUnit + 1).value());
  CHECK(names(*vault).size() == 5);
  REQUIRE(vault->pin("a"));
  auto open = vault->open_item("e");
  // All but two units could be had.
  CHECK_FALSE(vault->admit(4 * kUnit).value());
  CHECK(names(*vault).size() == 5);
  CHECK(vault->admit(3 * kUnit).value());
  CHECK(names(*vault) == Names{"a", "e"});
}

TEST_CASE("what a reservation has written counts") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  auto reservation = vault->reserve("a");
  REQUIRE(reservation);
  REQUIRE(reservation->file().write_at(0, as_bytes(std::string(3 * kUnit, 'x'))));
  CHECK_FALSE(vault->admit(3 * kUnit).value());
  CHECK(vault->admit(2 * kUnit).value());
}

TEST_CASE("a count that is damaged, cut short, missing or too high is found anew") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  fill(dir, *vault, 3);
  REQUIRE(vault->admit(kUnit).value());
  const std::string path = dir.file("v/.usage");
  SECTION("missing") {
    REQUIRE(::unlink(path.c_str()) == 0);
  }
  SECTION("empty") {
    REQUIRE(::truncate(path.c_str(), 0) == 0);
  }
  SECTION("cut short") {
    REQUIRE(::truncate(path.c_str(), 31) == 0);
  }
  SECTION("one bit of the count") {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(22);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(22);
    file.put(byte);
  }
  SECTION("too high, as after removals") {
    REQUIRE(vault->admit(kUnit).value());  // nothing is written for it
  }
  // Three units are there: two fit without eviction, and then no more without.
  CHECK(vault->admit(2 * kUnit).value());
  CHECK(names(*vault) == Names{"a", "b", "c"});
  REQUIRE(put(*vault, "x", 2 * kUnit));
  CHECK(vault->admit(kUnit).value());
  CHECK(names(*vault) == Names{"b", "c", "x"});
}

TEST_CASE("making room makes some to spare, so that a full vault is not scanned each time") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 60 * kUnit);
  for (int i = 0; i < 60; ++i) REQUIRE(put(*vault, std::to_string(i), kUnit));
  REQUIRE(vault->admit(kUnit).value());
  CHECK(vault->list()->size() == 57);
  RecordingKernel kernel;
  const io::KernelOverride guard(&kernel);
  REQUIRE(vault->admit(kUnit).value());
  REQUIRE(vault->admit(kUnit).value());
  CHECK(kernel.calls() == Names{"write .usage", "write .usage"});
}

TEST_CASE("nothing is admitted while the count cannot be written") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  SECTION("from the beginning") {
    REQUIRE(::mkdir(dir.file("v/.usage").c_str(), 0700) == 0);
    CHECK_FALSE(vault->admit(1).value());
  }
  SECTION("once the disk is full") {
    REQUIRE(vault->admit(1).value());
    RecordingKernel kernel(1, ENOSPC);
    const io::KernelOverride guard(&kernel);
    CHECK_FALSE(vault->admit(1).value());
    CHECK(vault->admit(1).value());
  }
}

TEST_CASE("a lock that others hold says nothing about room") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  REQUIRE(vault->admit(1).value());
  const std::string held = GENERATE(".usage", ".lock");
  INFO(held);
  if (held == ".lock") REQUIRE(vault->admit(5 * kUnit - 1).value());  // a scan has to tell
  Child child([&] {
    LockedFile own(dir.file("v/" + held));
    const auto guard = own.lock(1s);
    if (guard) Child::wait_for_end();
  });
  REQUIRE(child.is_ready());
  const auto busy = vault->admit(kUnit);
  REQUIRE_FALSE(busy);
  CHECK(busy.error().code == ErrorCode::kBusy);
  child.kill();
  CHECK(vault->admit(kUnit));
}

TEST_CASE("an admission within the budget is one lock, one read, one write") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 5 * kUnit);
  REQUIRE(vault->admit(1).value());
  RecordingKernel kernel;
  const io::KernelOverride guard(&kernel);
  REQUIRE(vault->admit(1).value());
  CHECK(kernel.calls() == Names{"write .usage"});
}

// Each process admits and writes items of random sizes; at no time is more written than the budget
// and what one item of each process may be.
TEST_CASE("several processes together keep within the budget") {
  constexpr int kProcesses = 4;
  constexpr std::uint64_t kBudget = 40 * kUnit;
  constexpr std::uint64_t kLargest = 4;  // units
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), kBudget);
  std::vector<pid_t> children;
  for (int number = 0; number < kProcesses; ++number) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      std::srand(static_cast<unsigned>(number));
      // Half of them go on with the vault of their parent.
      auto own = Vault::open(dir.file("v"), Options{Durability::kUnsynced, kBudget});
      Vault& mine = number % 2 == 0 ? **own : *vault;
      int admitted = 0;
      for (int i = 0; i < 150; ++i) {
        const std::uint64_t size = kUnit * (1 + static_cast<unsigned>(std::rand()) % kLargest);
        const auto granted = mine.admit(size);
        if (!granted && granted.error().code == ErrorCode::kBusy) continue;
        if (!granted) ::_exit(2);
        if (!*granted) continue;
        ++admitted;
        if (!put(mine, std::to_string(number) + "-" + std::to_string(i), size)) ::_exit(3);
      }
      ::_exit(admitted > 75 ? 0 : 4);
    }
    children.push_back(pid);
  }
  std::uint64_t most = 0;
  std::size_t done = 0;
  while (done < children.size()) {
    most = std::max(most, allocated(*vault));
    int status = 0;
    if (::waitpid(children[done], &status, WNOHANG) == children[done]) {
      CHECK(WEXITSTATUS(status) == 0);
      ++done;
    }
  }
  CHECK(most <= kBudget + kProcesses * kLargest * kUnit);
  CHECK(most > kBudget / 2);  // it was worth it
}

}  // namespace
}  // namespace shunt::vault
