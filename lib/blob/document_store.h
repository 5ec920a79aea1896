// Where small documents that belong to blobs, such as manifests, are kept between runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shunt::blob {

// Keeps small documents by digest between runs, and what a tag pointed to. May be null wherever it
// is asked for. Implemented by the cache.
class DocumentStore {
 public:
  virtual ~DocumentStore() = default;
  // nullopt: not there. What is found is checked against its digest by the caller.
  virtual std::optional<std::string> find_document(const std::string& digest) = 0;
  virtual void keep_document(const std::string& digest, std::string_view bytes) = 0;
  // The digest that `reference` stood for when it was last resolved (only used offline).
  virtual std::optional<std::string> find_tag(const std::string& reference) = 0;
  virtual void keep_tag(const std::string& reference, const std::string& digest) = 0;
};

}  // namespace shunt::blob
