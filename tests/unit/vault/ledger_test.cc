#include "shunt/vault/ledger.h"

#include <chrono>
#include <fstream>

#include "shunt/vault/locked_file.h"
#include "unit/vault/support.h"

namespace shunt::vault {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the count grows up to the limit and is shared") {
  const test::TempDir dir;
  Ledger one(dir.file("usage"));
  Ledger other(dir.file("usage"));
  CHECK(one.add(1, 10) == Admission::kFull);  // not known yet
  CHECK_FALSE(one.count());
  REQUIRE(one.settle(std::nullopt, 4));
  CHECK(other.count() == 4);
  CHECK(other.add(6, 10) == Admission::kGranted);
  CHECK(one.add(1, 10) == Admission::kFull);
  CHECK(one.add(0, 10) == Admission::kGranted);
  CHECK(one.add(1, 11) == Admission::kGranted);
  CHECK(one.count() == 11);
  CHECK(one.add(UINT64_MAX, UINT64_MAX) == Admission::kFull);
}

TEST_CASE("what is added during a scan is not forgotten by it") {
  const test::TempDir dir;
  Ledger one(dir.file("usage"));
  Ledger other(dir.file("usage"));
  REQUIRE(one.settle(std::nullopt, 9));
  const auto before = one.count();
  REQUIRE(other.add(3, 12) == Admission::kGranted);
  REQUIRE(one.settle(before, 5));
  CHECK(one.count() == 8);
  REQUIRE(one.settle(100, 5));
  CHECK(one.count() == 5);
}

TEST_CASE("a count whose file was removed is not gone on with") {
  const test::TempDir dir;
  Ledger one(dir.file("usage"));
  REQUIRE(one.settle(std::nullopt, 9));
  REQUIRE(::unlink(dir.file("usage").c_str()) == 0);
  CHECK_FALSE(one.count());
  Ledger other(dir.file("usage"));
  REQUIRE(other.settle(std::nullopt, 4));
  CHECK(one.count() == 4);
}

TEST_CASE("a count is unknown when any of its bits has changed") {
  const test::TempDir dir;
  Ledger ledger(dir.file("usage"));
  for (int at = 0; at < 32; ++at) {
    REQUIRE(ledger.settle(std::nullopt, 9));
    REQUIRE(ledger.count() == 9);
    {
      std::fstream file(dir.file("usage"), std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at);
      const auto byte = static_cast<char>(file.get() ^ 1);
      file.seekp(at);
      file.put(byte);
    }
    INFO(at);
    CHECK_FALSE(ledger.count());
  }
}

TEST_CASE("a lock that is held is waited for, but not for ever; death gives it back") {
  const test::TempDir dir;
  LockedFile file(dir.file("lock"));
  Child child([&] {
    LockedFile own(dir.file("lock"));
    const auto guard = own.lock(1s);
    if (guard) Child::wait_for_end();
  });
  REQUIRE(child.is_ready());
  const auto busy = file.lock(20ms);
  REQUIRE_FALSE(busy);
  CHECK(busy.error().code == ErrorCode::kBusy);
  child.kill();
  CHECK(file.lock(20ms));
  CHECK(file.lock(20ms));  // the one before was let go
}

TEST_CASE("a lock that was opened before a fork still keeps parent and child apart") {
  const test::TempDir dir;
  LockedFile file(dir.file("lock"));
  auto guard = file.lock(1s);
  REQUIRE(guard);
  {
    const auto moved = std::move(*guard);  // lets go at the end of the block
  }
  Child child([&] {
    const auto own = file.lock(1s);
    if (own) Child::wait_for_end();
  });
  REQUIRE(child.is_ready());
  CHECK_FALSE(file.lock(20ms));
}

}  // namespace
}  // namespace shunt::vault
