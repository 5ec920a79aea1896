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
  std::optional<oci::Platform> platform;  // nullopt: that of this machine
  bool plain_http = false;                // use HTTP without TLS
  std::string authfile;  // replaces the default places of credentials; may be empty
};

[[nodiscard]] std::unique_ptr<const Scheme> oci_scheme(OciOptions options = {});

}  // namespace shunt::source
