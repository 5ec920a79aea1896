// Keeps the items within the budget: admission and eviction.

#include <algorithm>
#include <tuple>

#include "shunt/base/clock.h"
#include "shunt/base/log.h"
#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/vault/ledger.h"
#include "shunt/vault/locked_file.h"
#include "shunt/vault/scan.h"
#include "shunt/vault/timing.h"
#include "shunt/vault/vault.h"

namespace shunt::vault {
namespace {

// When room is needed, this part of the budget is freed in addition, so that a full vault is not
// scanned for each block.
constexpr std::uint64_t kSlackDivisor = 20;

// A scan that took longer than this and found no room is not repeated for ten times as long: a blob
// that does not fit asks for each block.
constexpr double kLongScan = 0.005;  // seconds
constexpr double kPauseFactor = 10;

std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

// `admission` is not kFull.
Result<bool> answer_to(Admission admission) {
  if (admission != Admission::kBusy) return admission == Admission::kGranted;
  Error error;
  error.code = ErrorCode::kBusy;
  error.reason = "another process has held the lock of the count for too long";
  return error;
}

// Returns the file at `path`, locked exclusively; not valid if it is in use, is not the scanned
// file, or has been used since.
io::File hold_idle(const std::string& path, const FoundItem& item) {
  Result<io::File> file = io::File::open_to_change(path);
  if (!file) file = io::File::open_to_read(path);
  if (!file) return {};
  if (files::try_lock(*file, files::LockKind::kExclusive) == files::LockOutcome::kHeldElsewhere)
    return {};
  const Result<struct stat> status = file->status();
  if (!status || status->st_ino != item.inode || status->st_dev != item.device) return {};
  if (status->st_mtim.tv_sec != item.used.tv_sec || status->st_mtim.tv_nsec != item.used.tv_nsec) {
    return {};
  }
  if (!names_file(path, *file)) return {};
  return std::move(*file);
}

}  // namespace

bool Vault::is_idle(const FoundItem& item) const {
  return hold_idle(path_of(item.status.name), item).valid();
}

bool Vault::remove_if_idle(const FoundItem& item) {
  const std::string path = path_of(item.status.name);
  // A process that opens it now finds, once it has the lock, that the name is gone.
  const io::File held = hold_idle(path, item);
  if (!held.valid()) return false;
  const Result<bool> removed = files::remove_if_there(path);
  if (!removed) log::debug("{}", removed.error().describe());
  return removed.has_value();
}

// Evicts down to `wish` as far as possible. Evicts nothing if `must` is given and either cannot be
// reached or is already met. Returns the allocated bytes of the remaining items.
Result<std::uint64_t> Vault::shrink(Scan& found, std::optional<std::uint64_t> must,
                                    std::uint64_t wish) {
  std::uint64_t total = found.allocated;
  if (total <= wish || (must && total <= *must)) return total;

  std::erase_if(found.items, [](const FoundItem& item) { return item.status.pinned; });
  std::sort(found.items.begin(), found.items.end(), [](const FoundItem& a, const FoundItem& b) {
    return std::tie(a.used.tv_sec, a.used.tv_nsec, a.status.name) <
           std::tie(b.used.tv_sec, b.used.tv_nsec, b.status.name);
  });

  if (must) {
    std::uint64_t rest = total;
    for (const FoundItem& item : found.items) {
      if (rest <= *must) break;
      if (is_idle(item)) rest -= item.status.allocated;
    }
    if (rest > *must) return total;
  }

  bool any = false;
  for (const FoundItem& item : found.items) {
    if (total <= wish) break;
    if (item.status.allocated == 0 || !remove_if_idle(item)) continue;
    total -= item.status.allocated;
    any = true;
    log::debug("evicted {}", path_of(item.status.name));
  }
  if (any) SHUNT_TRY(sync_names());
  return total;
}

Result<std::uint64_t> Vault::evict(std::uint64_t max_allocated) {
  SHUNT_ASSIGN(const auto guard, removal_->lock(kRemovalPatience));
  const auto before = ledger_->count();
  SHUNT_ASSIGN(Scan found, scan(directory_));
  SHUNT_ASSIGN(const std::uint64_t left, shrink(found, std::nullopt, max_allocated));
  ledger_->settle(before, left + found.reserved);
  return left;
}

Result<bool> Vault::admit(std::uint64_t bytes) {
  if (read_only_) return false;
  if (options_.budget == 0) return true;
  if (bytes > options_.budget) return false;
  const Admission admission = ledger_->add(bytes, options_.budget);
  return admission == Admission::kFull ? admit_with_scan(bytes) : answer_to(admission);
}

Result<bool> Vault::admit_with_scan(std::uint64_t bytes) {
  if (nanoseconds_now() < full_until_.load(std::memory_order_relaxed)) return false;
  const auto guard = removal_->lock(kAdmitPatience);
  if (!guard) {
    if (guard.error().code == ErrorCode::kBusy) return guard.error();
    return false;
  }
  // The previous holder of the lock has probably made room.
  const Admission now = ledger_->add(bytes, options_.budget);
  if (now != Admission::kFull) return answer_to(now);

  const Stopwatch scan_watch;
  const auto before = ledger_->count();
  SHUNT_TRY(sweep_locked());
  SHUNT_ASSIGN(Scan found, scan(directory_));
  const std::uint64_t room = options_.budget - bytes;
  bool granted = false;
  std::uint64_t left = found.allocated;
  if (found.reserved <= room) {
    const std::uint64_t must = room - found.reserved;
    const std::uint64_t slack = std::max(bytes, options_.budget / kSlackDivisor);
    const std::uint64_t ample = options_.budget - slack;
    const std::uint64_t wish = ample > found.reserved ? ample - found.reserved : 0;
    SHUNT_ASSIGN(left, shrink(found, must, wish));
    granted = left <= must;
  }
  const std::uint64_t counted = left + found.reserved + (granted ? bytes : 0);
  if (!ledger_->settle(before, counted)) return false;
  if (!granted && scan_watch.seconds() > kLongScan) {
    const double pause = scan_watch.seconds() * kPauseFactor * 1e9;
    full_until_.store(nanoseconds_now() + static_cast<std::int64_t>(pause),
                      std::memory_order_relaxed);
  }
  return granted;
}

}  // namespace shunt::vault
