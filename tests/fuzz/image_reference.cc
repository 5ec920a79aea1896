// Names of images, platforms and layers as people and files write them: what is accepted can be
// written down and read again, and goes into a URL as it is.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"

namespace {

using namespace shunt::oci;
using shunt::fuzz::require;

// Nothing that would end a path, a host or a line.
bool is_harmless(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '%' && c != '@' && c != '\\';
  });
}

void check_reference(std::string_view text) {
  const auto reference = parse_image_reference(text);
  if (!reference) {
    require(!reference.error().reason.empty(), "an error has a reason");
    return;
  }
  const std::string written = reference->to_string();
  const auto again = parse_image_reference(written);
  require(again.has_value(), "what is written can be read");
  require(again->to_string() == written, "and is written the same way");
  require(again->tag == reference->tag && again->digest == reference->digest, "with its version");
  require(reference->digest.empty() || shunt::blob::is_digest(reference->digest),
          "a digest is a digest");
  require(is_harmless(reference->tag), "a tag is harmless");
  if (reference->kind != ImageReference::Kind::kRegistry) return;
  require(reference->tag.empty() != reference->digest.empty(), "a tag or a digest");
  require(!reference->host.empty() && is_harmless(reference->host) &&
              reference->host.find('/') == std::string::npos,
          "a host is harmless");
  require(!reference->repository.empty() && is_harmless(reference->repository) &&
              ("/" + reference->repository + "/").find("/.") == std::string::npos,
          "a repository is harmless");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_reference(text);
  check_reference("docker://" + text);
  check_reference("oci:" + text);
  if (const auto platform = parse_platform(text)) {
    require(!platform->os.empty() && !platform->architecture.empty(), "a platform is whole");
  }
  return 0;
}
