// Image manifests and indexes: OCI image-spec 1.1 (manifest.md, image-index.md, descriptor.md) and
// Docker's image manifest version 2, schema 2. All input is untrusted.
#include <fmt/format.h>

#include <limits>

#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"
#include "shunt/oci/json_text.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

constexpr std::size_t kMaxLayers = 1000;
constexpr std::size_t kMaxEntries = 1000;

enum class Kind { kUnknown, kIndex, kManifest, kSchema1, kOther };

// `media_type` may have parameters, as in Content-Type.
Kind kind_of(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (media_type.ends_with(' ')) media_type.remove_suffix(1);
  if (media_type == "application/vnd.oci.image.index.v1+json" ||
      media_type == "application/vnd.docker.distribution.manifest.list.v2+json") {
    return Kind::kIndex;
  }
  if (media_type == "application/vnd.oci.image.manifest.v1+json" ||
      media_type == "application/vnd.docker.distribution.manifest.v2+json") {
    return Kind::kManifest;
  }
  if (media_type.starts_with("application/vnd.docker.distribution.manifest.v1+")) {
    return Kind::kSchema1;
  }
  // What servers send for an unknown file type.
  if (media_type.empty() || media_type == "application/json" || media_type.starts_with("text/") ||
      media_type == "application/octet-stream") {
    return Kind::kUnknown;
  }
  return Kind::kOther;
}

Error unsupported(std::string_view what) {
  return corrupt(fmt::format("the manifest is of an unsupported kind: {}", what));
}

Error schema1() {
  Error error = unsupported("Docker image manifest schema 1");
  error.hint = "push the image again with a newer tool; schema 1 does not give the sizes of layers";
  return error;
}

Result<std::uint64_t> parse_size(const nlohmann::json& value) {
  const nlohmann::json* const size = member(value, "size");
  if (size == nullptr) return corrupt("a descriptor has no size");
  const auto* const number = size->get_ptr<const nlohmann::json::number_unsigned_t*>();
  if (number == nullptr ||
      *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return corrupt("the size of a descriptor is not a size");
  }
  return *number;
}

Result<Platform> parse_platform_of(const nlohmann::json& value) {
  if (!value.is_object()) return corrupt("the platform of a descriptor is not an object");
  Platform platform;
  SHUNT_ASSIGN(platform.os, text_member(value, "os"));
  SHUNT_ASSIGN(platform.architecture, text_member(value, "architecture"));
  SHUNT_ASSIGN(platform.variant, text_member(value, "variant"));
  return platform;
}

Result<Descriptor> parse_descriptor(const nlohmann::json& value) {
  if (!value.is_object()) return corrupt("a descriptor is not an object");
  Descriptor descriptor;
  SHUNT_ASSIGN(descriptor.media_type, text_member(value, "mediaType"));
  SHUNT_ASSIGN(descriptor.digest, text_member(value, "digest"));
  if (!blob::is_digest(descriptor.digest)) {
    return corrupt(fmt::format("\"{}\" is not a SHA-256 digest", one_line(descriptor.digest, 100)));
  }
  SHUNT_ASSIGN(descriptor.size, parse_size(value));
  if (const nlohmann::json* const annotations = member(value, "annotations")) {
    if (!annotations->is_object())
      return corrupt("the annotations of a descriptor are not an object");
    for (const auto& [key, annotation] : annotations->items()) {
      const auto* const text = annotation.get_ptr<const std::string*>();
      if (text == nullptr) return corrupt("an annotation is not text");
      descriptor.annotations.emplace(key, *text);
    }
  }
  if (const nlohmann::json* const platform = member(value, "platform")) {
    SHUNT_ASSIGN(descriptor.platform, parse_platform_of(*platform));
  }
  if (const nlohmann::json* const urls = member(value, "urls")) {
    descriptor.foreign = urls->is_array() && !urls->empty();
  }
  return descriptor;
}

Result<std::vector<Descriptor>> parse_descriptors(const nlohmann::json& list, const char* name,
                                                  std::size_t most) {
  if (!list.is_array()) return corrupt(fmt::format("\"{}\" is not a list", name));
  if (list.size() > most) {
    return corrupt(fmt::format("\"{}\" has {} entries; {} are supported", name, list.size(), most));
  }
  std::vector<Descriptor> descriptors;
  descriptors.reserve(list.size());
  for (const nlohmann::json& value : list) {
    SHUNT_ASSIGN(Descriptor descriptor, parse_descriptor(value));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

// Returns the kind that the document states, or else its media type, or else what it looks like.
Result<Kind> decide_kind(const nlohmann::json& value, std::string_view media_type) {
  const bool has_entries = member(value, "manifests") != nullptr;
  const bool has_layers = member(value, "layers") != nullptr;
  SHUNT_ASSIGN(const std::string own_type, text_member(value, "mediaType"));
  Kind kind = kind_of(own_type);
  if (kind == Kind::kUnknown && own_type.empty()) kind = kind_of(media_type);
  const nlohmann::json* const version = member(value, "schemaVersion");
  if (kind == Kind::kSchema1 || (version != nullptr && *version == 1)) return schema1();
  if (version != nullptr && *version != 2) return unsupported("its schemaVersion is not 2");
  if (kind == Kind::kOther) {
    return unsupported(one_line(own_type.empty() ? media_type : own_type, 100));
  }
  // All readers must use the same half of a document.
  if (has_entries && has_layers)
    return corrupt("the manifest has both \"manifests\" and \"layers\"");
  if (kind == Kind::kUnknown) {
    if (has_entries == has_layers) return unsupported("it has neither layers nor manifests");
    return has_entries ? Kind::kIndex : Kind::kManifest;
  }
  if ((kind == Kind::kIndex && has_layers) || (kind == Kind::kManifest && has_entries)) {
    return corrupt("the manifest does not have its stated media type");
  }
  return kind;
}

}  // namespace

Result<ManifestDocument> parse_manifest(std::string_view json, std::string_view media_type) {
  if (json.size() > kMaxManifestSize) {
    return corrupt(fmt::format("the manifest has more than {} bytes", kMaxManifestSize));
  }
  SHUNT_ASSIGN(const nlohmann::json value, parse_json(json));
  if (!value.is_object()) return corrupt("the manifest is not an object");
  SHUNT_ASSIGN(const Kind kind, decide_kind(value, media_type));
  ManifestDocument document;
  if (kind == Kind::kIndex) {
    document.is_index = true;
    const nlohmann::json* const entries = member(value, "manifests");
    if (entries == nullptr) return corrupt("the index has no \"manifests\"");
    SHUNT_ASSIGN(document.entries, parse_descriptors(*entries, "manifests", kMaxEntries));
    return document;
  }
  const nlohmann::json* const config = member(value, "config");
  const nlohmann::json* const layers = member(value, "layers");
  if (config == nullptr || layers == nullptr) {
    return corrupt(fmt::format("the manifest has no \"{}\"", layers ? "config" : "layers"));
  }
  SHUNT_ASSIGN(document.manifest.config, parse_descriptor(*config));
  SHUNT_ASSIGN(document.manifest.layers, parse_descriptors(*layers, "layers", kMaxLayers));
  return document;
}

static std::string describe_layers(const Manifest& manifest) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (std::size_t i = 0; i < manifest.layers.size() && i < kMost; ++i) {
    text += fmt::format("{}{} = {}", i > 0 ? ", " : "", i, manifest.layers[i].digest);
  }
  if (manifest.layers.size() > kMost) {
    text += fmt::format(" and {} more", manifest.layers.size() - kMost);
  }
  return text.empty() ? "the image has no layers" : "there are: " + text;
}

Result<Descriptor> find_layer(const Manifest& manifest, std::string_view which) {
  constexpr std::string_view kPrefix = "sha256:";
  constexpr std::size_t kFewestDigits = 6;
  // Numbers take precedence: a digest of six decimal digits has to be given with "sha256:".
  if (const auto number = ascii::parse_number<std::size_t>(which);
      number && *number < manifest.layers.size()) {
    return manifest.layers[*number];
  }

  std::string_view digits = which;
  if (digits.starts_with(kPrefix)) digits.remove_prefix(kPrefix.size());
  const Descriptor* found = nullptr;
  if (digits.size() >= kFewestDigits) {
    for (const Descriptor& layer : manifest.layers) {
      if (!std::string_view(layer.digest).substr(kPrefix.size()).starts_with(digits)) continue;
      // The same layer may occur twice.
      if (found != nullptr && found->digest != layer.digest) {
        return usage(fmt::format("more than one layer begins with \"{}\"", one_line(which, 100)))
            .with_hint(describe_layers(manifest));
      }
      if (found == nullptr) found = &layer;
    }
  }
  if (found != nullptr) return *found;
  return usage(fmt::format("there is no layer \"{}\"", one_line(which, 100)))
      .with_hint(describe_layers(manifest));
}

}  // namespace shunt::oci
