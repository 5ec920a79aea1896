// How many bytes of files a piece of work has moved, for its report.
#pragma once

#include <atomic>
#include <cstdint>

namespace shunt::io {

// Filled by the Files that refer to it, from any thread.
struct Counters {
  std::atomic<std::uint64_t> bytes_read{0};
  std::atomic<std::uint64_t> bytes_written{0};
};

}  // namespace shunt::io
