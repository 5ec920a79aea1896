// Manifests and indexes from servers: what is accepted keeps to the bounds, and every digest in it
// is one.
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"

namespace {

using namespace shunt::oci;
using shunt::fuzz::require;

void check_descriptor(const Descriptor& descriptor) {
  require(shunt::blob::is_digest(descriptor.digest), "a digest is a digest");
  require(descriptor.size <= std::uint64_t{std::numeric_limits<std::int64_t>::max()},
          "a size is one of a file");
}

void check(std::string_view json, std::string_view media_type) {
  const auto document = parse_manifest(json, media_type);
  if (!document) {
    require(!document.error().reason.empty(), "an error has a reason");
    return;
  }
  require(document->entries.size() <= 1000 && document->manifest.layers.size() <= 1000,
          "the bounds hold");
  if (document->is_index) {
    for (const Descriptor& entry : document->entries) check_descriptor(entry);
    for (const Platform& platform :
         {Platform{"linux", "amd64", ""}, Platform{"linux", "arm", "v7"}}) {
      const auto chosen = choose_platform(document->entries, platform);
      if (chosen && chosen->platform) {
        require(chosen->platform->architecture == platform.architecture, "it is what was wanted");
      }
    }
    return;
  }
  check_descriptor(document->manifest.config);
  for (std::size_t i = 0; i < document->manifest.layers.size(); ++i) {
    check_descriptor(document->manifest.layers[i]);
    const auto found = find_layer(document->manifest, std::to_string(i));
    require(found && found->digest == document->manifest.layers[i].digest, "a layer is found");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, "");
  check(text, "application/vnd.oci.image.index.v1+json");
  (void)find_layer({}, text);
  return 0;
}
