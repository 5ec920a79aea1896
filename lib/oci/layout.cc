#include "shunt/oci/layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/blob/digest.h"
#include "shunt/oci/json_text.h"
#include "shunt/oci/small_file.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr std::size_t kMaxMarker = 4096;

std::string tag_of(const Descriptor& entry) {
  const auto found = entry.annotations.find(kRefName);
  return found == entry.annotations.end() ? "" : found->second;
}

std::string describe_tags(const std::vector<Descriptor>& entries) {
  constexpr std::size_t kMost = 20;
  std::string text;
  std::size_t count = 0;
  for (const Descriptor& entry : entries) {
    const std::string tag = tag_of(entry);
    if (tag.empty() || ++count > kMost) continue;
    text += (text.empty() ? "" : ", ") + one_line(tag, 100);
  }
  if (count > kMost) text += fmt::format(" and {} more", count - kMost);
  return text.empty() ? "it has no tags" : "its tags are: " + text;
}

}  // namespace

Result<OciLayout> OciLayout::open(const std::string& directory) {
  const std::string marker_path = directory + "/oci-layout";
  const auto marker = read_small_file(marker_path, kMaxMarker);
  if (!marker)
    return marker.error().with_hint("an OCI layout is a directory with a file oci-layout");
  const auto marker_json = parse_json(*marker);
  if (!marker_json) return marker_json.error().with_path(marker_path);
  const auto version = text_member(*marker_json, "imageLayoutVersion");
  if (!version || !version->starts_with("1.")) {
    return corrupt("the layout is of an unsupported version").with_path(marker_path);
  }

  const std::string index_path = directory + "/index.json";
  SHUNT_ASSIGN(const std::string text, read_small_file(index_path, kMaxManifestSize));
  auto index = parse_manifest(text, "application/vnd.oci.image.index.v1+json");
  if (!index) return index.error().with_path(index_path);
  if (!index->is_index) return corrupt("not an index").with_path(index_path);
  return OciLayout(directory, std::move(index->entries));
}

Result<std::vector<Descriptor>> OciLayout::find(const ImageReference& reference) const {
  std::vector<Descriptor> found;
  for (const Descriptor& entry : entries_) {
    if (!reference.digest.empty() ? entry.digest == reference.digest
                                  : reference.tag.empty() || tag_of(entry) == reference.tag) {
      found.push_back(entry);
    }
  }
  Error error;
  error.path = directory_;
  if (!reference.digest.empty()) {
    if (found.empty()) {
      // It may be referenced by an index; its file gives its size.
      SHUNT_ASSIGN(const std::string text, read_document(reference.digest));
      found.emplace_back();
      found.back().digest = reference.digest;
      found.back().size = text.size();
    }
    found.resize(1);  // the same image under several names
    return found;
  }
  if (found.empty()) {
    error.reason = reference.tag.empty()
                       ? "the layout contains no image"
                       : fmt::format("the layout has no tag \"{}\"; {}", one_line(reference.tag),
                                     describe_tags(entries_));
    return error;
  }
  const auto same_image = [&](const Descriptor& entry) { return entry.digest == found[0].digest; };
  // One image for several platforms may be listed here without an index of its own.
  const auto same_name = [&](const Descriptor& entry) {
    return entry.platform && tag_of(entry) == tag_of(found[0]);
  };
  if (std::ranges::all_of(found, same_image)) {
    found.resize(1);
  } else if (!std::ranges::all_of(found, same_name)) {
    error.reason = "the layout contains more than one image; " + describe_tags(entries_);
    error.hint = "name one as oci:DIR:TAG or oci:DIR@sha256:…";
    return error;
  }
  return found;
}

std::string OciLayout::blob_path(const std::string& digest) const {
  return fmt::format("{}/blobs/sha256/{}", directory_, blob::hex_of(digest));
}

Result<std::string> OciLayout::read_document(const std::string& digest) const {
  return read_small_file(blob_path(digest), kMaxManifestSize);
}

Result<io::SourcePtr> OciLayout::open_blob(const Descriptor& blob) const {
  const std::string path = blob_path(blob.digest);
  SHUNT_ASSIGN(io::SourcePtr source, io::FileSource::open(path));
  if (source->size() != blob.size) {
    return corrupt(fmt::format("the blob has {} bytes instead of {}", source->size(), blob.size))
        .with_path(path);
  }
  return source;
}

}  // namespace shunt::oci
