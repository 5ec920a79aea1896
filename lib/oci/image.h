// Images in OCI registries and in OCI layout directories: from a reference to the blobs of its
// layers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/blob/document_store.h"
#include "shunt/http_blob/http_blob.h"
#include "shunt/io/source.h"

namespace shunt::oci {

// "docker://host[:port]/repo[:tag|@digest]" (as skopeo; "docker://debian" is
// docker.io/library/debian:latest) or "oci:DIR[:tag|@digest]".
struct ImageReference {
  enum class Kind { kRegistry, kLayout };
  Kind kind = Kind::kRegistry;
  std::string host;        // of kRegistry, with its port; docker.io: registry-1.docker.io is asked
  std::string repository;  // of kRegistry
  std::string directory;   // of kLayout
  std::string tag;         // empty when there is a digest, or, of kLayout, when none was given
  std::string digest;      // "sha256:…", or empty

  [[nodiscard]] std::string to_string() const;  // as one would write it, tag and digest filled in
};
// kUsage, with what is wrong in it.
[[nodiscard]] Result<ImageReference> parse_image_reference(std::string_view text);
// What was given as a reference, for messages and logs: in one line, and without a user and a
// password that stand in front of the host, where they do not belong.
[[nodiscard]] std::string show_image_reference(std::string_view text);

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
};
[[nodiscard]] Result<Platform> parse_platform(std::string_view text);  // "linux/arm64/v8"; kUsage
[[nodiscard]] Platform this_platform();

// A descriptor (OCI image-spec, descriptor.md).
struct Descriptor {
  std::string media_type;
  std::string digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
  std::optional<Platform> platform;  // in an index
  // It names URLs of its own (a foreign layer) and may be missing in the registry. These URLs are
  // never asked.
  bool foreign = false;
};

// An image manifest: OCI image-spec manifest.md, Docker schema 2.
struct Manifest {
  std::string digest;  // its own
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Platform> platform;  // what an index said that it is for
};

// One document: either `manifests` of an index (or a Docker list) or a manifest. At most 4 MiB,
// 1,000 layers, 1,000 entries; kCorrupt for what does not hold together.
struct ManifestDocument {
  bool is_index = false;
  std::vector<Descriptor> entries;  // of an index
  Manifest manifest;                // otherwise; its digest is not filled in
};
inline constexpr std::size_t kMaxManifestSize = std::size_t{4} << 20;
[[nodiscard]] Result<ManifestDocument> parse_manifest(std::string_view json,
                                                      std::string_view media_type);

// The entry of an index for `platform`: the variant as asked for, or the usual one of that
// architecture; entries of attestations ("unknown/unknown") never. kFailed, with the platforms that
// there are, when none fits.
[[nodiscard]] Result<Descriptor> choose_platform(const std::vector<Descriptor>& entries,
                                                 const Platform& platform);

// Whether the image whose configuration (config.md) has these bytes is for `platform`; kFailed, as
// above, where it says that it is for another. Of artifacts nothing says. The bytes are held
// against the descriptor first.
[[nodiscard]] Result<void> check_platform(std::string_view bytes, const Descriptor& config,
                                          const Platform& platform);

struct ImageOptions {
  Platform platform = this_platform();
  bool plain_http = false;                   // loopback hosts are asked by plain HTTP in any case
  std::string authfile;                      // instead of the usual places; may be empty
  std::vector<http::Field> fields;           // of the user, to the registry only
  bool offline = false;                      // nothing but what `documents` has; else kNetwork
  blob::DocumentStore* documents = nullptr;  // not owned; may be null
  http::RetryPolicy retry;
};

// One image, its manifest chosen and verified.
class Image {
 public:
  virtual ~Image() = default;
  [[nodiscard]] virtual const ImageReference& reference() const = 0;
  [[nodiscard]] virtual const Manifest& manifest() const = 0;
  // "docker://host/repo@sha256:…" of a layer, or the path of its file.
  [[nodiscard]] virtual std::string blob_name(const Descriptor& blob) const = 0;
  // What to open for a blob of a registry; no request is made. kUsage for a layout.
  [[nodiscard]] virtual Result<http_blob::HttpBlob> http_blob(const Descriptor& blob) const = 0;
  // The file of a blob of a layout. kUsage for a registry.
  [[nodiscard]] virtual Result<io::SourcePtr> local_blob(const Descriptor& blob) const = 0;
  // What resolving has cost.
  [[nodiscard]] virtual blob::Traffic traffic() const = 0;
};

// Resolves the reference: index, platform, manifest, each held against digest and size. `client`
// may be null for a layout, and when offline. Blocks.
[[nodiscard]] Result<std::shared_ptr<Image>> open_image(const std::shared_ptr<http::Client>& client,
                                                        const ImageReference& reference,
                                                        const ImageOptions& options);

// The layer that `which` names: "0", "1", … as in the manifest, or a digest or an unambiguous
// beginning of at least 6 digits of one. kUsage, with the layers that there are.
[[nodiscard]] Result<Descriptor> find_layer(const Manifest& manifest, std::string_view which);

}  // namespace shunt::oci
