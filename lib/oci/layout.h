// Images in a directory (OCI image-spec 1.1, image-layout.md).
#pragma once

#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/oci/image.h"

namespace shunt::oci {

// A value; its files are opened when asked for.
class OciLayout {
 public:
  // Returns kCorrupt if the directory is not a layout, or has an unknown version.
  static Result<OciLayout> open(const std::string& directory);

  // Returns the entries of index.json that `reference` names: by tag (several, for different
  // platforms), by digest, or all if it has neither. Returns kFailed, with the existing tags, if
  // none matches.
  [[nodiscard]] Result<std::vector<Descriptor>> find(const ImageReference& reference) const;

  [[nodiscard]] std::string blob_path(const std::string& digest) const;  // `digest` must be valid
  // Returns a manifest or index as it is in the file, unchecked.
  [[nodiscard]] Result<std::string> read_document(const std::string& digest) const;
  // Opens the file of a blob; kCorrupt if its size is not blob.size.
  [[nodiscard]] Result<io::SourcePtr> open_blob(const Descriptor& blob) const;

 private:
  OciLayout(std::string directory, std::vector<Descriptor> entries)
      : directory_(std::move(directory)), entries_(std::move(entries)) {}

  std::string directory_;
  std::vector<Descriptor> entries_;
};

}  // namespace shunt::oci
