// The part of an Entry about the whole blob: how much is recorded, sealed or discarded, freshness.
#include <algorithm>

#include "shunt/base/mutex.h"
#include "shunt/cache/entry.h"
#include "shunt/files/lock.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kScanned = 4096;  // records per read
// Limits on waiting for the lock of the state. Changing the state takes two system calls, so a
// process that holds the lock longer was suspended. A change that is given up costs another
// request, or a check of all blocks.
constexpr std::chrono::milliseconds kAdvice{200};
// For a discarded blob: others should see that the bytes are wrong, but will find out by themselves
// too.
constexpr std::chrono::milliseconds kWarning{1000};

// Calls `visit` with the first block and the checksums of each batch of records, in order. Returns
// false if they cannot all be read.
template <typename Visit>
bool scan_checksums(const io::File& file, const EntryHeader& header, Visit visit) {
  std::vector<std::uint64_t> checksums;
  for (std::uint64_t at = 0; at < header.blocks(); at += kScanned) {
    const BlockRun run{at, std::min(at + kScanned, header.blocks())};
    const std::vector<BlockRecord> records = Entry::read_records(file, header, run);
    if (records.empty()) return false;
    checksums.clear();
    for (const BlockRecord& record : records) checksums.push_back(record.checksum);
    visit(at, checksums);
  }
  return true;
}

// Returns 0, which no seal has, if they cannot be read.
std::uint64_t sum_of_records(const io::File& file, const EntryHeader& header) {
  SealSum sum;
  const bool all = scan_checksums(
      file, header, [&](std::uint64_t /*first*/, const std::vector<std::uint64_t>& checksums) {
        for (const std::uint64_t checksum : checksums) sum.add(checksum);
      });
  return all ? sum.value() : 0;
}

// The lock on the file excludes other processes, but not threads that use the same descriptor.
Mutex updating_state;

}  // namespace

std::uint64_t Entry::count_recorded(const io::File& file, const EntryHeader& header) {
  std::uint64_t counted = 0;
  (void)scan_checksums(
      file, header, [&](std::uint64_t first, const std::vector<std::uint64_t>& checksums) {
        for (std::uint64_t i = 0; i < checksums.size(); ++i) {
          if (checksums[i] == 0) continue;
          counted += std::min(header.block_size, header.size - (first + i) * header.block_size);
        }
      });
  return counted;
}

template <typename Change>
Result<void> Entry::update_state(std::chrono::milliseconds limit, Change change) {
  const Lock threads(updating_state);
  const ByteRange place = ByteRange::of(header_.state_begin(), kStateSize);
  SHUNT_TRY(files::lock_range(item_.file(), place, limit, vault_->options().cancel));
  EntryState now = state();
  change(now);
  Result<void> written = item_.file().write_at(place.begin, encode_state(now));
  files::unlock_range(item_.file(), place);
  return written;
}

Result<void> Entry::set_freshness(const blob::Freshness& freshness) {
  if (!item_.writable() || state().freshness == freshness) return {};
  return update_state(kAdvice, [&](EntryState& now) { now.freshness = freshness; });
}

bool Entry::is_sealed(const io::File& file, const EntryHeader& header) {
  const EntryState state = read_state(file, header);
  return state.sealed && state.seal_sum == sum_of_records(file, header);
}

Result<void> Entry::seal(std::uint64_t sum) {
  if (!item_.writable()) return {};
  return update_state(kAdvice, [&](EntryState& now) {
    now.sealed = true;
    now.seal_sum = sum;
  });
}

Result<void> Entry::lose_seal() {
  return state().sealed ? unseal() : Result<void>();
}

Result<void> Entry::unseal() {
  if (!item_.writable()) return {};
  return update_state(kAdvice, [](EntryState& now) { now.sealed = false; });
}

void Entry::discard() {
  // Processes that have it open see the mark; later ones do not find the entry.
  if (item_.writable()) {
    (void)update_state(kWarning, [](EntryState& now) {
      now.sealed = false;
      now.discarded = true;
    });
  }
  (void)vault_->retire(item_.name(), &item_);
}

}  // namespace shunt::cache
