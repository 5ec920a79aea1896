// What the name of an output stands for: an open descriptor, a stream, or the place of a new file.
#pragma once

#include <optional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/files/new_file.h"

namespace shunt::files {

// The open descriptor that `name` stands for: "-", /dev/stdout, /dev/fd/3. It is written to as it
// is, never replaced. nullopt for any other name.
[[nodiscard]] std::optional<int> output_descriptor(const std::string& name);

// Whether what is written to `name` goes to standard output, so that nothing else may.
[[nodiscard]] bool is_standard_output(const std::string& name);

// Whether `name` is written to in order and never replaced: it is an open descriptor, or there is a
// FIFO, a device or a socket of that name.
[[nodiscard]] bool names_stream(const std::string& name);

// The name for NewFile where people said `path`. A directory or a stream is never replaced; another
// file only with kReplace: through a symbolic link, the one that it leads to, and not the link. A
// link that leads nowhere counts as a file.
[[nodiscard]] Result<std::string> name_for_new_file(const std::string& path, IfThere if_there);

}  // namespace shunt::files
