// The cache directory: entries by identity, documents, and what one can do to them.
//
//   DIR/CACHEDIR.TAG    so that backups pass it by
//   DIR/blobs/          a vault of entries (cache/entry.h); docs/formats/cache.md
//   DIR/documents/      manifests by digest, and what tags stood for (cache/documents.h)
//   DIR/secret          what hides passwords in the names of entries (cache/secret.h)
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

// $XDG_CACHE_HOME/shunt, or ~/.cache/shunt; kUsage when neither variable is set.
[[nodiscard]] Result<std::string> default_directory();

// The name of a blob's entry: "sha256-…" for a digest, "url-…" (SHA-256 of the URL) for a URL that
// anybody asks for.
[[nodiscard]] std::string key_of_digest(std::string_view digest);
[[nodiscard]] std::string key_of_url(std::string_view url);

struct EntryStatus {
  std::string key;
  std::string identity;  // the digest, or the URL and the validator
  std::string source;    // where it came from, for people
  std::uint64_t size = 0;
  std::uint64_t bytes_cached = 0;
  std::uint64_t allocated = 0;
  bool complete = false;
  bool verified = false;  // held against its digest as a whole
  bool pinned = false;
  bool damaged = false;        // cannot be read, or is not believed; the next use takes it away
  std::string disbelief;       // why it is not believed, as the end of a sentence
  std::int64_t last_used = 0;  // seconds since the epoch
};

struct VerifyReport {
  EntryStatus entry;
  std::uint64_t blocks_checked = 0;
  std::uint64_t blocks_bad = 0;  // taken out; they will be fetched again
  bool digest_mismatch = false;  // the entry has been retired
  bool damaged = false;          // as `entry` says; it has been retired
};

// Thread-safe.
class Cache final : public blob::DocumentStore {
 public:
  // Makes what is missing. kLocalIo where the directory cannot be used at all, and where it or one
  // in it belongs to somebody else than the user or root, or may be written to by others. One that
  // may only be read gives what it has. `budget`: see vault::Options.
  // `cancel`, which may be null, is asked while other processes are waited for; it outlives the
  // cache.
  static Result<std::shared_ptr<Cache>> open(const std::string& directory, std::uint64_t budget,
                                             const CancelToken* cancel = nullptr);

  [[nodiscard]] const std::string& directory() const { return directory_; }

  // The key of a URL as `asker` (http_blob::asker_of) gets it: nobody is served what was sent to
  // somebody else. An error when there is no secret to hide the asker with; nothing can be kept
  // then.
  [[nodiscard]] Result<std::string> key_of_url(std::string_view url, std::string_view asker) const;

  // The entry of `key`; null when there is none. One that is damaged or of another version is
  // retired, and counts as none.
  Result<std::shared_ptr<Entry>> find(const std::string& key);
  // The entry for the blob that `info` describes; one of another size, validator, place or identity
  // is retired first. `identity` is the digest or the URL. Fails where the directory may only be
  // read.
  Result<std::shared_ptr<Entry>> find_or_create(const std::string& key, const std::string& identity,
                                                const blob::Info& info);

  // Looks without counting as use.
  Result<std::vector<EntryStatus>> list();
  // Reads every block that is there, whenever it was last checked, and the digest of a whole blob.
  Result<VerifyReport> verify(const EntryStatus& entry, const Context& context);
  // Those of `entries` that `what` names: a key, a digest, an unambiguous beginning of a digest (6
  // digits and more), a URL, or a source as list() gives it. `canonical` is the URL as key_of_url()
  // gets it, and otherwise `what` again. kFailed when there is none.
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
  files::Directory own_;  // as it was judged
  std::shared_ptr<vault::Vault> vault_;
  Documents documents_;
};

}  // namespace shunt::cache
