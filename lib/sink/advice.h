// Suggests options for a client from a trial run.
#pragma once

#include <cstdint>

#include "shunt/sink/sink.h"

namespace shunt::sink {

// With these options under CommitPolicy::kWindow, the same requests, reads included, succeed
// without spilling. Values are 0 or powers of 2.
struct Advice {
  std::uint64_t window = 0;  // in bytes
  std::uint64_t memory = 0;  // in bytes
};

// `summary` comes from a run with Options::offer_as_window.
[[nodiscard]] Advice advice_of(const Summary& summary);

}  // namespace shunt::sink
