// Sources that are here: files by their paths, and standard input, "-".
#pragma once

#include <memory>

#include "shunt/source/scheme.h"

namespace shunt::source {

// Everything that is not "scheme://…". A file whose name looks like a URL is named with a folder in
// front, as in "./ftp://x".
[[nodiscard]] std::unique_ptr<const Scheme> path_scheme();
// Spooled before it is read.
[[nodiscard]] std::unique_ptr<const Scheme> stdin_scheme();

}  // namespace shunt::source
