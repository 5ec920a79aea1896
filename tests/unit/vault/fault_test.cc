#include <algorithm>

#include "support/catch.h"
#include "unit/vault/support.h"

namespace shunt::vault {
namespace {

using Calls = std::vector<std::string>;

TEST_CASE("a synced vault orders bytes, name and directory") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 0, Durability::kSynced);
  RecordingKernel kernel;
  const io::KernelOverride guard(&kernel);
  CHECK(put(*vault, "a", 3));
  CHECK(kernel.calls() == Calls{"create .a.new", "write .a.new", "fsync .a.new", "rename .a.new a",
                                "fsync directory"});
  RecordingKernel retiring;
  const io::KernelOverride second_guard(&retiring);
  CHECK(vault->retire("a").value());
  CHECK(retiring.calls() == Calls{"unlink a", "unlink a", "fsync directory"});  // the item, its pin
}

TEST_CASE("eviction from a synced vault syncs the directory once") {
  const test::TempDir dir;
  const auto vault = open_vault(dir.file("v"), 0, Durability::kSynced);
  for (const char* name : {"a", "b", "c"}) REQUIRE(put(*vault, name, 10'000));
  RecordingKernel kernel;
  const io::KernelOverride guard(&kernel);
  REQUIRE(vault->evict(0));
  const Calls& calls = kernel.calls();
  CHECK(std::count(calls.begin(), calls.end(), "fsync directory") == 1);
  const auto synced = std::find(calls.begin(), calls.end(), "fsync directory");
  CHECK(std::count_if(calls.begin(), synced,
                      [](const auto& call) { return call.starts_with("unlink"); }) == 3);
}

TEST_CASE("the name of a new synced vault is made durable too") {
  const test::TempDir dir;
  RecordingKernel kernel;
  const io::KernelOverride guard(&kernel);
  open_vault(dir.file("a/v"), 0, Durability::kSynced);
  const Calls begin(kernel.calls().begin(), kernel.calls().begin() + 5);
  CHECK(begin == Calls{"mkdir v", "mkdir a", "mkdir v", "fsync directory", "fsync directory"});
}

TEST_CASE("an unsynced vault syncs nothing") {
  const test::TempDir dir;
  RecordingKernel kernel;
  const io::KernelOverride guard(&kernel);
  const auto vault = open_vault(dir.file("v"), 1 << 20);
  CHECK(put(*vault, "a", 3));
  CHECK(vault->pin("a"));
  CHECK(vault->admit(1));
  CHECK(vault->retire("a").value());
  CHECK(put(*vault, "a", 3));
  CHECK(vault->evict(0));
  for (const std::string& call : kernel.calls()) CHECK_FALSE(call.starts_with("fsync"));
}

TEST_CASE("whichever call of a commit fails, there is a whole item or nothing") {
  for (const Durability durability : {Durability::kSynced, Durability::kUnsynced}) {
    const test::TempDir count_dir;
    const auto count_vault = open_vault(count_dir.file("v"), 0, durability);
    unsigned calls = 0;
    {
      RecordingKernel kernel;
      const io::KernelOverride guard(&kernel);
      REQUIRE(put(*count_vault, "a", 100));
      calls = static_cast<unsigned>(kernel.calls().size());
    }
    REQUIRE(calls >= 3);
    for (unsigned fail_at = 1; fail_at <= calls; ++fail_at) {
      const test::TempDir dir;
      const auto vault = open_vault(dir.file("v"), 0, durability);
      std::string failed;
      {
        RecordingKernel kernel(fail_at, ENOSPC);
        const io::KernelOverride guard(&kernel);
        auto reservation = vault->reserve("a");
        Result<void> written =
            reservation ? reservation->file().write_at(0, as_bytes(std::string(100, 'x')))
                        : Result<void>(reservation.error());
        Error error;
        if (!written) {
          error = written.error();
        } else {
          const auto item = std::move(*reservation).commit();
          REQUIRE_FALSE(item);
          error = item.error();
        }
        failed = kernel.calls().at(fail_at - 1);
        INFO(failed);
        CHECK(error.system_errno == ENOSPC);
        CHECK(error.code == ErrorCode::kLocalIo);
        CHECK_FALSE(error.path.empty());
      }
      INFO(failed);
      CHECK_FALSE(vault->open_item("a").value());
      CHECK(hidden_files(dir.file("v")) == 0);
      CHECK(put(*vault, "a", 100));
    }
  }
}

TEST_CASE("whichever call of a retirement fails, the item is whole or gone") {
  for (unsigned fail_at = 1; fail_at <= 3; ++fail_at) {
    const test::TempDir dir;
    const auto vault = open_vault(dir.file("v"), 0, Durability::kSynced);
    REQUIRE(put(*vault, "a", 100));
    REQUIRE(vault->pin("a"));
    bool retired = false;
    {
      RecordingKernel kernel(fail_at);
      const io::KernelOverride guard(&kernel);
      const auto result = vault->retire("a");
      retired = result.has_value();
      // A pin that stays behind is swept one day; all else is told.
      CHECK(retired == (kernel.calls().at(fail_at - 1) == "unlink a" && fail_at == 2));
      if (!result) CHECK(result.error().system_errno == EIO);
    }
    const auto item = vault->open_item("a");
    REQUIRE(item);
    CHECK(item->has_value() == (fail_at == 1));
    if (*item) CHECK(content((*item)->file()) == std::string(100, 'x'));
  }
}

TEST_CASE("a process that is killed at any call of a commit leaves a whole item or nothing") {
  bool finished = false;
  for (unsigned kill_at = 1; !finished; ++kill_at) {
    REQUIRE(kill_at < 20);
    const test::TempDir dir;
    const auto vault = open_vault(dir.file("v"), 0, Durability::kSynced);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      const auto own = Vault::open(dir.file("v"), {});
      RecordingKernel kernel;
      kernel.before = [&](const std::string&) {
        if (kernel.calls().size() + 1 == kill_at) ::kill(::getpid(), SIGKILL);
      };
      const io::KernelOverride guard(&kernel);
      ::_exit(put(**own, "a", 100) ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    finished = WIFEXITED(status);
    const auto item = vault->open_item("a");
    REQUIRE(item);
    if (finished) REQUIRE(*item);
    if (*item) CHECK(content((*item)->file()) == std::string(100, 'x'));
    REQUIRE(vault->sweep());
    CHECK(hidden_files(dir.file("v")) == 0);
    CHECK(put(*vault, "a", 100) == !item->has_value());
  }
}

}  // namespace
}  // namespace shunt::vault
