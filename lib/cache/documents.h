// Caches small documents between runs: manifests by digest, and the digests of references.
//
//   DIR/sha256-<64 hex>   the bytes of a document
//   DIR/tag-<64 hex>      a digest and a newline; the name is the SHA-256 of the reference
//
// Nothing is synced and failures are not reported: a document can be fetched again, and readers
// check what they find.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shunt::cache {

// Implements blob::DocumentStore. Thread-safe, and safe with other processes.
class Documents {
 public:
  static constexpr std::size_t kMaxSize = std::size_t{4} << 20;  // bytes per document
  static constexpr std::size_t kMaxCount = 2'000;                // above it, trim() removes some

  // The directory is created with the first document.
  explicit Documents(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::optional<std::string> find_document(const std::string& digest);
  // Keeps a document. Ignores digests other than SHA-256, and documents larger than kMaxSize.
  void keep_document(const std::string& digest, std::string_view bytes);
  [[nodiscard]] std::optional<std::string> find_tag(const std::string& reference);
  void keep_tag(const std::string& reference, const std::string& digest);

  // Removes the least recently used documents above kMaxCount, and leftovers of writers that died.
  // The keep functions call it now and then.
  void trim();

 private:
  [[nodiscard]] std::optional<std::string> read(const std::string& name, std::size_t limit);
  void write(const std::string& name, std::string_view bytes);

  std::string directory_;
  std::atomic<unsigned> written_{0};
};

}  // namespace shunt::cache
