// Stores small documents that belong to blobs, such as manifests, between runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shunt::blob {

// Keeps documents by digest, and the digests of tags. Pointers to it may be null. Implemented by
// the cache.
class DocumentStore {
 public:
  virtual ~DocumentStore() = default;
  // Returns a document, which the caller checks against its digest; nullopt if not there.
  virtual std::optional<std::string> find_document(const std::string& digest) = 0;
  virtual void keep_document(const std::string& digest, std::string_view bytes) = 0;
  // Returns the digest that `reference` last resolved to (used offline only).
  virtual std::optional<std::string> find_tag(const std::string& reference) = 0;
  virtual void keep_tag(const std::string& reference, const std::string& digest) = 0;
};

}  // namespace shunt::blob
