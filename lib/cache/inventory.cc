// Lists, finds and verifies what the cache holds.
#include <fmt/format.h>

#include <algorithm>

#include "shunt/cache/cache.h"
#include "shunt/cache/entry_format.h"
#include "shunt/io/sha256.h"

namespace shunt::cache {
namespace {

constexpr std::size_t kShortestPrefix = 6;

bool is_beginning_of_digest(std::string_view text) {
  return text.size() >= kShortestPrefix &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

EntryStatus Cache::look_at(const vault::ItemStatus& item) const {
  EntryStatus status;
  status.key = item.name;
  status.allocated = item.allocated;
  status.pinned = item.pinned;
  status.last_used = item.last_used;
  status.damaged = true;
  const Result<io::File> file = vault_->look_into(item.name);
  if (!file) {
    if (file.error().code == ErrorCode::kIntegrity) status.disbelief = file.error().reason;
    return status;
  }
  const Result<EntryHeader> header = Entry::read_header(*file);
  if (!header || item.size != header->file_size()) return status;
  status.damaged = false;
  status.identity = header->validator.empty()
                        ? header->identity
                        : fmt::format("{} {}", header->identity, header->validator);
  status.source = header->source;
  status.size = header->size;
  status.verified = Entry::is_sealed(*file, *header);
  status.bytes_cached = Entry::count_recorded(*file, *header);
  status.complete = status.bytes_cached == header->size;
  return status;
}

Result<std::vector<EntryStatus>> Cache::list() {
  SHUNT_ASSIGN(const std::vector<vault::ItemStatus> items, vault_->list());
  std::vector<EntryStatus> entries;
  entries.reserve(items.size());
  for (const vault::ItemStatus& item : items) entries.push_back(look_at(item));
  std::ranges::sort(entries, [](const EntryStatus& a, const EntryStatus& b) {
    return std::tie(b.last_used, a.key) < std::tie(a.last_used, b.key);
  });
  return entries;
}

Result<std::vector<EntryStatus>> Cache::matching(const std::vector<EntryStatus>& entries,
                                                 const std::string& what,
                                                 const std::string& canonical) {
  std::string_view digits = what;
  if (digits.starts_with("sha256:")) digits.remove_prefix(7);
  const bool beginning = is_beginning_of_digest(digits);
  // A URL stands for the answer without credentials. The key finds one whose credentials were not
  // stored.
  const std::string key = cache::key_of_url(canonical);
  std::vector<EntryStatus> found;
  for (const EntryStatus& entry : entries) {
    const std::string_view url =
        std::string_view(entry.identity).substr(0, entry.identity.find(' '));
    if (entry.key == what || entry.key == key || entry.identity == what || url == canonical ||
        entry.source == what ||
        (beginning && entry.identity.starts_with(fmt::format("sha256:{}", digits)))) {
      found.push_back(entry);
    }
  }
  if (found.empty()) {
    Error error;
    error.path = what;
    error.reason = "not in the cache";
    error.hint = "'shunt cache ls' lists the entries";
    return error;
  }
  if (beginning && found.size() > 1) {
    return usage(fmt::format("{} entries begin with this", found.size())).with_path(what);
  }
  return found;
}

Result<VerifyReport> Cache::verify(const EntryStatus& status, const Context& context) {
  VerifyReport report;
  report.entry = status;
  // find() would retire it without saying why.
  if (const Result<io::File> file = vault_->look_into(status.key);
      !file && file.error().code == ErrorCode::kIntegrity) {
    report.entry.disbelief = file.error().reason;
  }
  SHUNT_ASSIGN(const std::shared_ptr<Entry> entry, find(status.key));
  if (entry == nullptr) {  // find() has retired it
    report.damaged = true;
    return report;
  }
  context.begin("verifying", entry->size());
  // Computes the digest along the way, as long as no block is missing.
  const bool has_digest =
      entry->header().validator.empty() && entry->header().identity.starts_with("sha256:");
  bool whole = has_digest;
  bool matched = false;
  io::Sha256 sha;
  SealSum sum;
  std::vector<std::byte> bytes(static_cast<std::size_t>(entry->block_size()));
  for (std::uint64_t block = 0; block < entry->blocks(); ++block) {
    SHUNT_TRY(context.check());
    const std::uint64_t at = block * entry->block_size();
    const auto part = std::span(bytes).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), entry->size() - at)));
    SHUNT_ASSIGN(const Entry::Recheck checked, entry->recheck(block, part));
    report.blocks_checked += checked != Entry::Recheck::kAbsent ? 1 : 0;
    report.blocks_bad += checked == Entry::Recheck::kBad ? 1 : 0;
    whole = whole && checked == Entry::Recheck::kGood;
    if (whole) {
      sha.update(part);
      sum.add(block_checksum(part));
    }
    context.advance(part.size());
  }
  if (whole) {
    if ("sha256:" + sha.hex() == entry->header().identity) {
      matched = true;
      const Result<void> sealed = entry->seal(sum.value());
      if (!sealed && sealed.error().code != ErrorCode::kBusy) return sealed.error();
    } else {
      report.digest_mismatch = true;
      entry->discard();
      return report;
    }
  }
  SHUNT_ASSIGN(report.entry.bytes_cached, entry->bytes_cached());
  report.entry.complete = report.entry.bytes_cached == entry->size();
  // If a suspended process holds the lock of the state, the next run has to check again.
  report.entry.verified = matched || entry->sealed();
  return report;
}

}  // namespace shunt::cache
