// The kinds of Sources of this program.
#pragma once

#include <memory>

#include "shunt/source/oci/oci_scheme.h"
#include "shunt/source/schemes.h"

namespace shunt::cli {

// A new kind of Source is a folder in lib/source/ and a line in this function.
[[nodiscard]] std::shared_ptr<const source::Schemes> make_schemes(source::OciOptions images = {});

// For functions of names only.
[[nodiscard]] const source::Schemes& schemes();

}  // namespace shunt::cli
