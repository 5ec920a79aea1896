// Images in OCI registries and layout directories: from a reference to the blobs of its layers.
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

// "docker://host[:port]/repo[:tag|@digest]" (as in skopeo; "docker://debian" means
// docker.io/library/debian:latest) or "oci:DIR[:tag|@digest]".
struct ImageReference {
  enum class Kind { kRegistry, kLayout };
  Kind kind = Kind::kRegistry;
  std::string host;  // for kRegistry, with port; requests for docker.io go to registry-1.docker.io
  std::string repository;  // for kRegistry
  std::string directory;   // for kLayout
  std::string tag;         // empty if there is a digest, or for kLayout without a tag
  std::string digest;      // "sha256:…", or empty

  [[nodiscard]] std::string to_string() const;  // as people write it, with tag and digest
};
// Returns kUsage with the reason.
[[nodiscard]] Result<ImageReference> parse_image_reference(std::string_view text);
// Returns a reference as typed, for messages and logs: on one line, and without user and password,
// which do not belong there.
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
  std::optional<Platform> platform;  // only in an index
  // The descriptor has URLs (a foreign layer); the registry may not have the blob. These URLs are
  // never used.
  bool foreign = false;
};

// An image manifest: OCI image-spec manifest.md, Docker schema 2.
struct Manifest {
  std::string digest;  // of the manifest itself
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Platform> platform;  // from the index
};

// One parsed document: an index (or Docker list), or a manifest. At most 4 MiB, 1,000 layers, 1,000
// entries; kCorrupt if it is not consistent.
struct ManifestDocument {
  bool is_index = false;
  std::vector<Descriptor> entries;  // of an index
  Manifest manifest;                // otherwise; without its digest
};
inline constexpr std::size_t kMaxManifestSize = std::size_t{4} << 20;
[[nodiscard]] Result<ManifestDocument> parse_manifest(std::string_view json,
                                                      std::string_view media_type);

// Returns the entry of an index for `platform`: with its variant, or else the default one of the
// architecture; never an attestation ("unknown/unknown"). Returns kFailed, with the existing
// platforms, if none matches.
[[nodiscard]] Result<Descriptor> choose_platform(const std::vector<Descriptor>& entries,
                                                 const Platform& platform);

// Checks that the image whose configuration (config.md) is `bytes` is for `platform`; kFailed, as
// above, if it is for another. Artifacts do not say. First checks `bytes` against the descriptor.
[[nodiscard]] Result<void> check_platform(std::string_view bytes, const Descriptor& config,
                                          const Platform& platform);

struct ImageOptions {
  Platform platform = this_platform();
  bool plain_http = false;                   // loopback hosts always use plain HTTP
  std::string authfile;                      // replaces the default places; may be empty
  std::vector<http::Field> fields;           // set by the user; sent to the registry only
  bool offline = false;                      // use `documents` only; kNetwork if that is not enough
  blob::DocumentStore* documents = nullptr;  // not owned; may be null
  http::RetryPolicy retry;
};

// One image with its manifest, chosen and verified. Thread-safe.
class Image {
 public:
  virtual ~Image() = default;
  [[nodiscard]] virtual const ImageReference& reference() const = 0;
  [[nodiscard]] virtual const Manifest& manifest() const = 0;
  // Returns "docker://host/repo@sha256:…" for a layer of a registry, or the path of its file.
  [[nodiscard]] virtual std::string blob_name(const Descriptor& blob) const = 0;
  // Returns what to open for a blob of a registry; makes no request. kUsage for a layout.
  [[nodiscard]] virtual Result<http_blob::HttpBlob> http_blob(const Descriptor& blob) const = 0;
  // Opens the file of a blob of a layout. kUsage for a registry.
  [[nodiscard]] virtual Result<io::SourcePtr> local_blob(const Descriptor& blob) const = 0;
  // The traffic of resolving the reference.
  [[nodiscard]] virtual blob::Traffic traffic() const = 0;
};

// Resolves the reference: index, platform, manifest, each checked against digest and size. `client`
// may be null for a layout or if offline. Blocks.
[[nodiscard]] Result<std::shared_ptr<Image>> open_image(const std::shared_ptr<http::Client>& client,
                                                        const ImageReference& reference,
                                                        const ImageOptions& options);

// Returns the layer that `which` names: "0", "1", … in manifest order, a digest, or an unambiguous
// prefix of at least 6 digits. Returns kUsage, with the existing layers, if none matches.
[[nodiscard]] Result<Descriptor> find_layer(const Manifest& manifest, std::string_view which);

}  // namespace shunt::oci
