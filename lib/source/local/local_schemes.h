// Local Sources: files by path, and standard input as "-".
#pragma once

#include <memory>

#include "shunt/source/scheme.h"

namespace shunt::source {

// Claims every name that is not "scheme://…". A file whose name looks like a URL is given with a
// folder, as in "./ftp://x".
[[nodiscard]] std::unique_ptr<const Scheme> path_scheme();
// Spools standard input before it is read.
[[nodiscard]] std::unique_ptr<const Scheme> stdin_scheme();

}  // namespace shunt::source
