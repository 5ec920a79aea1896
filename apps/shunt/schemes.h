// The kinds of Sources that this program knows.
#pragma once

#include <memory>

#include "shunt/source/oci/oci_scheme.h"
#include "shunt/source/schemes.h"

namespace shunt::cli {

// A new kind of Source is a folder below lib/source/ and a line in here.
[[nodiscard]] std::shared_ptr<const source::Schemes> make_schemes(source::OciOptions images = {});

// For names alone.
[[nodiscard]] const source::Schemes& schemes();

}  // namespace shunt::cli
