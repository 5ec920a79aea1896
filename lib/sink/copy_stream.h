// A stream that is in order already: from one descriptor to another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/streams/stream_writer.h"

namespace shunt::sink {

struct CopyOptions {
  streams::Zeros zeros = streams::Zeros::kWritten;
  bool digest = false;
  Context context = {};
};

// What went, also when that is not all.
struct Copied {
  std::uint64_t bytes = 0;
  std::uint64_t zero_bytes = 0;  // found on the way; only holes are looked for
  std::string digest;            // "sha256:…"; empty: not asked for, or not all went
  std::optional<Error> error;
};

// Copies `in` from where it stands to its end, and waits until a reader of `out` has it all.
// Through the kernel where one of them is a pipe and nobody has to look at the bytes, otherwise
// double-buffered (streams/transfer.h).
Copied copy_stream(const io::File& in, io::File& out, const CopyOptions& options);

}  // namespace shunt::sink
