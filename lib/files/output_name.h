// What the name of an output means: an open descriptor, a stream, or a new file.
#pragma once

#include <optional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/files/new_file.h"

namespace shunt::files {

// Returns the open descriptor that `name` means: "-", /dev/stdout, /dev/fd/3. It is written to,
// never replaced. nullopt for any other name.
[[nodiscard]] std::optional<int> output_descriptor(const std::string& name);

// Returns true if `name` is standard output, so that nothing else may be written there.
[[nodiscard]] bool is_standard_output(const std::string& name);

// Returns true if `name` is written in order and never replaced: an open descriptor, FIFO, device
// or socket.
[[nodiscard]] bool names_stream(const std::string& name);

// Returns the name to pass to NewFile for `path`. A directory or stream is never replaced, another
// file only with kReplace; for a symbolic link, the file that it leads to is replaced, not the
// link. A dangling link counts as a file.
[[nodiscard]] Result<std::string> name_for_new_file(const std::string& path, IfThere if_there);

}  // namespace shunt::files
