// The cache directory: entries by identity, documents, and operations on them.
//
//   DIR/CACHEDIR.TAG    excludes the directory from backups
//   DIR/blobs/          a vault of entries (cache/entry.h); docs/formats/cache.md
//   DIR/documents/      manifests by digest, and digests of tags (cache/documents.h)
//   DIR/secret          hides credentials in the names of entries (cache/secret.h)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/blob/document_store.h"
#include "shunt/blob/origin.h"
#include "shunt/cache/documents.h"
#include "shunt/cache/entry.h"
#include "shunt/files/directory.h"
#include "shunt/vault/vault.h"

namespace shunt::cache {

// Returns $XDG_CACHE_HOME/shunt, or ~/.cache/shunt; kUsage if neither variable is set.
[[nodiscard]] Result<std::string> default_directory();

// Returns the name of a blob's entry: "sha256-…" for a digest, "url-…" (SHA-256 of the URL) for a
// URL requested without credentials.
[[nodiscard]] std::string key_of_digest(std::string_view digest);
[[nodiscard]] std::string key_of_url(std::string_view url);

struct EntryStatus {
  std::string key;
  std::string identity;            // the digest, or the URL and the validator
  std::string source;              // where it came from, for people
  std::uint64_t size = 0;          // bytes
  std::uint64_t bytes_cached = 0;  // bytes
  std::uint64_t allocated = 0;     // bytes on disk
  bool complete = false;
  bool verified = false;  // the whole blob matched its digest
  bool pinned = false;
  bool damaged = false;        // cannot be read or is not accepted; removed at its next use
  std::string disbelief;       // why it is not accepted, as the end of a sentence
  std::int64_t last_used = 0;  // seconds since the epoch
};

struct VerifyReport {
  EntryStatus entry;
  std::uint64_t blocks_checked = 0;
  std::uint64_t blocks_bad = 0;  // removed; they will be fetched again
  bool digest_mismatch = false;  // the entry has been retired
  bool damaged = false;          // same as entry.damaged; the entry has been retired
};

// Thread-safe.
class Cache final : public blob::DocumentStore {
 public:
  // Opens a cache and creates what is missing. Returns kLocalIo if the directory cannot be used, or
  // if it or a directory in it belongs to another user (except root) or is writable by others. A
  // read-only cache serves what it has. `budget` is in bytes; see vault::Options. `cancel` may be
  // null; it stops waits for other processes and outlives the cache.
  static Result<std::shared_ptr<Cache>> open(const std::string& directory, std::uint64_t budget,
                                             const CancelToken* cancel = nullptr);

  [[nodiscard]] const std::string& directory() const { return directory_; }

  // Returns the key of a URL as requested by `asker` (http_blob::asker_of): content sent for one
  // user's credentials is never served to another. Returns an error if there is no secret to hide
  // the credentials with; then nothing can be cached.
  [[nodiscard]] Result<std::string> key_of_url(std::string_view url, std::string_view asker) const;

  // Returns the entry of `key`, or null. An entry that is damaged or of another version is retired
  // and counts as absent.
  Result<std::shared_ptr<Entry>> find(const std::string& key);
  // Returns the entry for the blob that `info` describes. An existing entry with another size,
  // validator, place or identity is retired first. `identity` is the digest or the URL. Fails if
  // the cache is read-only.
  Result<std::shared_ptr<Entry>> find_or_create(const std::string& key, const std::string& identity,
                                                const blob::Info& info);

  // Lists all entries. Does not count as use.
  Result<std::vector<EntryStatus>> list();
  // Reads every cached block, trusted or not, and checks the digest of a complete blob.
  Result<VerifyReport> verify(const EntryStatus& entry, const Context& context);
  // Returns those of `entries` that `what` names: a key, a digest, an unambiguous prefix of a
  // digest (at least 6 digits), a URL, or a source as list() shows it. `canonical` is the URL in
  // the form that key_of_url() takes, or else `what`. Returns kFailed if there is none.
  static Result<std::vector<EntryStatus>> matching(const std::vector<EntryStatus>& entries,
                                                   const std::string& what,
                                                   const std::string& canonical);
  Result<std::uint64_t> collect(std::uint64_t max_size) { return vault_->evict(max_size); }
  Result<bool> remove(const std::string& key) { return vault_->retire(key); }
  Result<void> pin(const std::string& key) { return vault_->pin(key); }
  Result<void> unpin(const std::string& key) { return vault_->unpin(key); }

  std::optional<std::string> find_document(const std::string& digest) override;
  void keep_document(const std::string& digest, std::string_view bytes) override;
  std::optional<std::string> find_tag(const std::string& reference) override;
  void keep_tag(const std::string& reference, const std::string& digest) override;

 private:
  Cache(const std::string& directory, files::Directory own, std::shared_ptr<vault::Vault> vault)
      : directory_(directory),
        own_(std::move(own)),
        vault_(std::move(vault)),
        documents_(directory + "/documents") {}
  Result<std::shared_ptr<Entry>> create(const std::string& key, const std::string& identity,
                                        const blob::Info& info);
  [[nodiscard]] EntryStatus look_at(const vault::ItemStatus& item) const;

  std::string directory_;
  files::Directory own_;  // DIR itself, held open since its owner and mode were checked
  std::shared_ptr<vault::Vault> vault_;
  Documents documents_;
};

}  // namespace shunt::cache
