#include "cache/cache.h"

#include <fmt/format.h>

#include <cstdlib>
#include <span>

#include "base/log.h"
#include "io/path.h"
#include "io/sha256.h"

namespace shunt::cache {
namespace {

// https://bford.info/cachedir/
constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file marks a cache directory of shunt. What is in it can be downloaded again.\n"
    "# For information about cache directory tags, see https://bford.info/cachedir/\n";

void write_tag(const std::string& directory) {
  Result<io::File> file = io::File::create(directory + "/CACHEDIR.TAG");
  if (!file) return;  // there already, or nothing may be written here
  if (!file->write_at(0, std::as_bytes(std::span(kTag)))) {
    (void)io::remove_if_there(directory + "/CACHEDIR.TAG");
  }
}

// Servers that share the work for a digest may differ in what else they say of it.
std::string validator_for(const remote::BlobInfo& info) {
  return info.digest.empty() ? info.validator : std::string();
}

}  // namespace

Result<std::string> default_directory() {
  for (const auto& [variable, rest] :
       {std::pair{"XDG_CACHE_HOME", "/shunt"}, std::pair{"HOME", "/.cache/shunt"}}) {
    // A relative path there is to be ignored (XDG Base Directory Specification).
    const char* const value = std::getenv(variable);
    if (value != nullptr && *value == '/') return std::string(value) + rest;
  }
  return usage("neither XDG_CACHE_HOME nor HOME tells where the cache could lie")
      .with_hint("name a directory with --cache-dir, or use --no-cache");
}

std::string key_of_digest(std::string_view digest) {
  std::string key(digest);
  if (const std::size_t colon = key.find(':'); colon != std::string::npos) key[colon] = '-';
  return key;
}

std::string key_of_url(std::string_view url) {
  return "url-" + io::sha256_hex(url);
}

Result<std::shared_ptr<Cache>> Cache::open(const std::string& directory, std::uint64_t budget) {
  SHUNT_ASSIGN(std::unique_ptr<vault::Vault> vault,
               vault::Vault::open(directory + "/blobs", {vault::Durability::kUnsynced, budget}));
  write_tag(directory);
  return std::shared_ptr<Cache>(new Cache(directory, std::move(vault)));
}

Result<std::shared_ptr<Entry>> Cache::find(const std::string& key) {
  SHUNT_ASSIGN(std::optional<vault::Item> item, vault_->open_item(key));
  if (!item) return std::shared_ptr<Entry>();
  Result<std::shared_ptr<Entry>> entry = Entry::open(std::move(*item), vault_);
  // A digest that was found wrong, or what cannot be read, or what nobody can tell the version of.
  // Only this very file: somebody else may have put another in its place already.
  if (entry && !(*entry)->discarded() && (*entry)->has_version()) return entry;
  if (!entry && entry.error().code != ErrorCode::kCorrupt) return entry;
  log::info("the cache entry {} cannot be used and is taken away: {}", key,
            !entry                    ? entry.error().describe()
            : (*entry)->has_version() ? "it did not have its digest"
                                      : "nothing tells its version");
  SHUNT_TRY(vault_->retire(key, entry ? &(*entry)->item() : &*item));
  return std::shared_ptr<Entry>();
}

Result<std::shared_ptr<Entry>> Cache::create(const std::string& key, const std::string& identity,
                                             const remote::BlobInfo& info) {
  EntryHeader header;
  header.size = info.size;
  const std::optional<std::uint64_t> block_size = block_size_for(info.size);
  if (!block_size) return corrupt("too large for the cache");
  header.block_size = *block_size;
  header.identity = identity;
  header.source = info.name;
  header.validator = validator_for(info);
  SHUNT_ASSIGN(vault::Reservation reservation, vault_->reserve(key));
  SHUNT_TRY(Entry::format(reservation.file(), header, info.fresh_until));
  SHUNT_ASSIGN(vault::Item item, std::move(reservation).commit());
  return Entry::open(std::move(item), vault_);
}

Result<std::shared_ptr<Entry>> Cache::find_or_create(const std::string& key,
                                                     const std::string& identity,
                                                     const remote::BlobInfo& info) {
  // Another process may create, or retire, the same entry in between: then once more.
  constexpr int kAttempts = 10;
  Error last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    SHUNT_ASSIGN(const std::shared_ptr<Entry> found, find(key));
    if (found != nullptr) {
      const EntryHeader& header = found->header();
      if (header.size == info.size && header.validator == validator_for(info) &&
          header.identity == identity) {
        return found;
      }
      log::info("{} has changed; what was cached of it is given up", info.name);
      SHUNT_TRY(vault_->retire(key, &found->item()));
    }
    Result<std::shared_ptr<Entry>> created = create(key, identity, info);
    if (created || created.error().code != ErrorCode::kBusy) return created;
    last = created.error();
  }
  return last;
}

std::optional<std::string> Cache::find_document(const std::string& digest) {
  return documents_.find_document(digest);
}

void Cache::keep_document(const std::string& digest, std::string_view bytes) {
  documents_.keep_document(digest, bytes);
}

std::optional<std::string> Cache::find_tag(const std::string& reference) {
  return documents_.find_tag(reference);
}

void Cache::keep_tag(const std::string& reference, const std::string& digest) {
  documents_.keep_tag(reference, digest);
}

}  // namespace shunt::cache
