// Small documents between runs: manifests by their digest, and what references stood for.
//
//   DIR/sha256-<64 hex>   the bytes of a document
//   DIR/tag-<64 hex>      a digest and a line end; the name is the SHA-256 of the reference
//
// Nothing is synced, and nobody is told of a failure: each of them can be had again, and whoever
// finds one checks it.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shunt::cache {

// As in blob::DocumentStore. Thread-safe, and for several processes at once.
class Documents {
 public:
  static constexpr std::size_t kMaxSize = std::size_t{4} << 20;  // of one, in bytes
  static constexpr std::size_t kMaxCount = 2'000;  // of more, some go at the next trim()

  // The directory is made with the first document.
  explicit Documents(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::optional<std::string> find_document(const std::string& digest);
  // A digest of another kind than SHA-256, and more than kMaxSize bytes, are passed over.
  void keep_document(const std::string& digest, std::string_view bytes);
  [[nodiscard]] std::optional<std::string> find_tag(const std::string& reference);
  void keep_tag(const std::string& reference, const std::string& digest);

  // Takes away those that were used longest ago, when there are more than kMaxCount, and what died
  // writers have left. Done now and then by itself.
  void trim();

 private:
  [[nodiscard]] std::optional<std::string> read(const std::string& name, std::size_t limit);
  void write(const std::string& name, std::string_view bytes);

  std::string directory_;
  std::atomic<unsigned> written_{0};
};

}  // namespace shunt::cache
