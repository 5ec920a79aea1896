// Layers of images: "docker://host[:port]/repo[:tag|@digest]" in registries,
// "oci:DIR[:tag|@digest]" in layout folders.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "shunt/oci/image.h"
#include "shunt/source/scheme.h"

namespace shunt::source {

struct OciOptions {
  std::optional<oci::Platform> platform;  // nullopt: this machine's
  bool plain_http = false;                // registries are asked without TLS
  std::string authfile;                   // credentials instead of those in the usual places
};

[[nodiscard]] std::unique_ptr<const Scheme> oci_scheme(OciOptions options = {});

}  // namespace shunt::source
