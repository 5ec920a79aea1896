// What hides passwords in the names of entries: a random text that the cache directory keeps.
//
//   DIR/secret   "shunt-secret-1 <64 hex> <8 hex>" and a line end; the second is the
//                beginning of the SHA-256 of what is before the space in front of it
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"

namespace shunt::cache {

// Of the cache in this directory, made when there is none. What cannot be read as one, or is not
// this user's own, is replaced: the entries that were named with it are lost, and nothing else.
[[nodiscard]] Result<std::string> secret_of(const files::Directory& directory);

}  // namespace shunt::cache
