// With which options a client that was looked at would do.
#pragma once

#include <cstdint>

#include "shunt/sink/sink.h"

namespace shunt::sink {

// Of a run under CommitPolicy::kWindow: with these, the same requests are granted, reads among
// them, and nothing is spilled. Powers of 2, but for 0: what people type.
struct Advice {
  std::uint64_t window = 0;  // in bytes
  std::uint64_t memory = 0;  // in bytes
};

// By the end of a run with Options::offer_as_window.
[[nodiscard]] Advice advice_of(const Summary& summary);

}  // namespace shunt::sink
