// Copies a stream that is already in order from one descriptor to another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/streams/stream_writer.h"

namespace shunt::sink {

// Pointers are not owned and outlive the call.
struct CopyOptions {
  streams::Zeros zeros = streams::Zeros::kWritten;
  bool digest = false;
  Context context = {};
};

// What was sent, also after an error.
struct Copied {
  std::uint64_t bytes = 0;
  std::uint64_t zero_bytes = 0;  // of `bytes`, zeros that were seen; only holes are looked for
  std::string digest;            // "sha256:…"; empty if not asked for or not complete
  std::optional<Error> error;
};

// Copies `in` from its current position to its end, and waits until a reader of `out` has taken
// everything. Copies in the kernel if either is a pipe and nothing has to see the bytes, otherwise
// double-buffered (streams/transfer.h).
Copied copy_stream(const io::File& in, io::File& out, const CopyOptions& options);

}  // namespace shunt::sink
