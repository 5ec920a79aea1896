#include "shunt/cache/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <span>

#include "shunt/base/log.h"
#include "shunt/cache/secret.h"
#include "shunt/files/found_file.h"
#include "shunt/files/path.h"
#include "shunt/io/sha256.h"

namespace shunt::cache {
namespace {

// https://bford.info/cachedir/
constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file marks a cache directory of shunt. What is in it can be downloaded again.\n"
    "# For information about cache directory tags, see https://bford.info/cachedir/\n";

void write_tag(const files::Directory& directory) {
  constexpr const char* kName = "CACHEDIR.TAG";
  Result<io::File> file = directory.open(kName, O_WRONLY | O_CREAT | O_EXCL, "create");
  if (!file) return;  // it exists, or the directory is read-only
  if (!file->write_at(0, std::as_bytes(std::span(kTag)))) (void)directory.remove_if_there(kName);
}

// Mirrors that serve the same digest may differ in the rest of what they say about it.
void note_version(const blob::Info& info, EntryHeader& header) {
  if (!info.digest.empty()) return;
  header.validator = info.validator;
  header.place = info.place;
}

}  // namespace

Result<std::string> default_directory() {
  for (const auto& [variable, rest] :
       {std::pair{"XDG_CACHE_HOME", "/shunt"}, std::pair{"HOME", "/.cache/shunt"}}) {
    // A relative path is to be ignored (XDG Base Directory Specification).
    const char* const value = std::getenv(variable);
    if (value != nullptr && *value == '/') return std::string(value) + rest;
  }
  return usage("neither XDG_CACHE_HOME nor HOME is set, so that the cache has no directory")
      .with_hint("name a directory with --cache-dir");
}

std::string key_of_digest(std::string_view digest) {
  std::string key(digest);
  if (const std::size_t colon = key.find(':'); colon != std::string::npos) key[colon] = '-';
  return key;
}

std::string key_of_url(std::string_view url) {
  return "url-" + io::sha256_hex(url);
}

Result<std::shared_ptr<Cache>> Cache::open(const std::string& directory, std::uint64_t budget,
                                           const CancelToken* cancel) {
  // Checked separately: the secret and the documents are trusted like the entries.
  SHUNT_TRY(files::make_directories(directory));
  SHUNT_ASSIGN(files::Directory own, files::open_own_directory(directory));
  const std::string documents = directory + "/documents";
  if (::faccessat(AT_FDCWD, documents.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    SHUNT_TRY(files::open_own_directory(documents));
  }
  SHUNT_ASSIGN(
      std::unique_ptr<vault::Vault> vault,
      vault::Vault::open(directory + "/blobs", {vault::Durability::kUnsynced, budget, cancel}));
  write_tag(own);
  return std::shared_ptr<Cache>(new Cache(directory, std::move(own), std::move(vault)));
}

Result<std::string> Cache::key_of_url(std::string_view url, std::string_view asker) const {
  if (asker.empty()) return cache::key_of_url(url);
  SHUNT_ASSIGN(const std::string secret, secret_of(own_));
  // Names appear in listings and messages, and must not reveal a guessable password.
  return "url-" + io::sha256_hex(fmt::format("{}\n{}\n{}", secret, url, asker));
}

Result<std::shared_ptr<Entry>> Cache::find(const std::string& key) {
  Result<std::optional<vault::Item>> opened = vault_->open_item(key);
  if (!opened && opened.error().code == ErrorCode::kIntegrity) {
    log::info("the cache entry {} is not trusted and is removed: {}", key,
              opened.error().describe());
    SHUNT_TRY(vault_->retire(key));
    return std::shared_ptr<Entry>();
  }
  SHUNT_ASSIGN(std::optional<vault::Item> item, std::move(opened));
  if (!item) return std::shared_ptr<Entry>();
  Result<std::shared_ptr<Entry>> entry = Entry::open(std::move(*item), vault_);
  // Retires an entry that failed its digest, cannot be read, or has no known version. Only this
  // very file: another process may have replaced it already.
  if (entry && !(*entry)->discarded() && (*entry)->has_version()) return entry;
  if (!entry && entry.error().code != ErrorCode::kCorrupt) return entry;
  log::info("the cache entry {} is unusable and is removed: {}", key,
            !entry                    ? entry.error().describe()
            : (*entry)->has_version() ? "its digest did not match"
                                      : "its version is unknown");
  SHUNT_TRY(vault_->retire(key, entry ? &(*entry)->item() : &*item));
  return std::shared_ptr<Entry>();
}

Result<std::shared_ptr<Entry>> Cache::create(const std::string& key, const std::string& identity,
                                             const blob::Info& info) {
  EntryHeader header;
  header.size = info.size;
  const std::optional<std::uint64_t> block_size = block_size_for(info.size);
  if (!block_size) return corrupt("too large for the cache");
  header.block_size = *block_size;
  header.identity = identity;
  header.source = info.name;
  note_version(info, header);
  SHUNT_ASSIGN(vault::Reservation reservation, vault_->reserve(key));
  SHUNT_TRY(Entry::format(reservation.file(), header, info.freshness));
  SHUNT_ASSIGN(vault::Item item, std::move(reservation).commit());
  return Entry::open(std::move(item), vault_);
}

Result<std::shared_ptr<Entry>> Cache::find_or_create(const std::string& key,
                                                     const std::string& identity,
                                                     const blob::Info& info) {
  // Another process may create or retire the same entry in between; then try again.
  constexpr int kAttempts = 10;
  Error last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    SHUNT_ASSIGN(const std::shared_ptr<Entry> found, find(key));
    if (found != nullptr) {
      const EntryHeader& header = found->header();
      EntryHeader wanted;
      note_version(info, wanted);
      if (header.size == info.size && header.validator == wanted.validator &&
          header.place == wanted.place && header.identity == identity) {
        return found;
      }
      log::info("{} has changed; its cached data is discarded", info.name);
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
