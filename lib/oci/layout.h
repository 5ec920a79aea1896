// Images in a directory (OCI image-spec 1.1, image-layout.md).
#pragma once

#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/oci/image.h"

namespace shunt::oci {

// A value: its files are opened as they are asked for.
class OciLayout {
 public:
  // kCorrupt for a directory that is no layout, or of a version that is not known.
  static Result<OciLayout> open(const std::string& directory);

  // What of index.json `reference` means: the entry of its tag (several, where each is for another
  // platform), of its digest, or all there are when it names neither. kFailed, with the tags that
  // there are, when nothing fits.
  [[nodiscard]] Result<std::vector<Descriptor>> find(const ImageReference& reference) const;

  [[nodiscard]] std::string blob_path(const std::string& digest) const;  // must be a digest
  // A manifest or an index as it is in the file, which is not checked.
  [[nodiscard]] Result<std::string> read_document(const std::string& digest) const;
  // The file of a blob; kCorrupt when it has not the size that it should have.
  [[nodiscard]] Result<io::SourcePtr> open_blob(const Descriptor& blob) const;

 private:
  OciLayout(std::string directory, std::vector<Descriptor> entries)
      : directory_(std::move(directory)), entries_(std::move(entries)) {}

  std::string directory_;
  std::vector<Descriptor> entries_;
};

}  // namespace shunt::oci
