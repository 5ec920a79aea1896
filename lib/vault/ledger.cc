#include "shunt/vault/ledger.h"

#include <xxhash.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "shunt/base/checked.h"
#include "shunt/base/log.h"

namespace shunt::vault {
namespace {

// The lock is held for two system calls at a time; a holder that takes longer was suspended.
constexpr std::chrono::milliseconds kPatience{200};

struct Record {
  std::array<char, 8> magic{'S', 'H', 'U', 'N', 'T', 'U', 'S', 'E'};
  std::uint32_t version = 1;
  std::uint32_t zeros = 0;
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;

  [[nodiscard]] std::uint64_t expected_checksum() const {
    return XXH3_64bits(this, offsetof(Record, checksum));
  }
};
static_assert(sizeof(Record) == 32);

std::optional<std::uint64_t> read(const io::File& file) {
  Record record;
  const auto got = file.read_at(0, std::as_writable_bytes(std::span(&record, 1)));
  if (!got || *got != sizeof record) return std::nullopt;
  const Record wanted;
  if (record.magic != wanted.magic || record.version != wanted.version) return std::nullopt;
  if (record.checksum != record.expected_checksum()) return std::nullopt;
  return record.count;
}

bool write(io::File& file, std::uint64_t count) {
  Record record;
  record.count = count;
  record.checksum = record.expected_checksum();
  const Result<void> written = file.write_at(0, std::as_bytes(std::span(&record, 1)));
  if (!written) log::debug("{}", written.error().describe());
  return written.has_value();
}

}  // namespace

Admission Ledger::add(std::uint64_t bytes, std::uint64_t limit) {
  auto guard = file_.lock(kPatience);
  if (!guard) {
    log::debug("{}", guard.error().describe());
    return guard.error().code == ErrorCode::kBusy ? Admission::kBusy : Admission::kUnavailable;
  }
  const std::optional<std::uint64_t> count = read(guard->file());
  if (!count) return Admission::kFull;
  const auto sum = checked_add(*count, bytes);
  if (!sum || *sum > limit) return Admission::kFull;
  return write(guard->file(), *sum) ? Admission::kGranted : Admission::kUnavailable;
}

std::optional<std::uint64_t> Ledger::count() {
  auto guard = file_.lock(kPatience);
  if (!guard) return std::nullopt;
  return read(guard->file());
}

bool Ledger::settle(std::optional<std::uint64_t> before, std::uint64_t counted) {
  auto guard = file_.lock(kPatience);
  if (!guard) return false;
  const std::optional<std::uint64_t> now = read(guard->file());
  const std::uint64_t added = before && now && *now > *before ? *now - *before : 0;
  return write(guard->file(), checked_add(counted, added).value_or(UINT64_MAX));
}

}  // namespace shunt::vault
