// The secret of a cache directory: a random text that hides credentials in the names of entries.
//
//   DIR/secret   "shunt-secret-1 <64 hex> <8 hex>" and a newline; the last field is the
//                beginning of the SHA-256 of the text before its preceding space
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"

namespace shunt::cache {

// Returns the secret of the cache in this directory; creates it if there is none. An invalid one,
// or one of another user, is replaced; entries named with it are lost, and nothing else.
[[nodiscard]] Result<std::string> secret_of(const files::Directory& directory);

}  // namespace shunt::cache
