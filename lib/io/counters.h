// Counts the bytes read from and written to files, for the report.
#pragma once

#include <atomic>
#include <cstdint>

namespace shunt::io {

// Updated by the Files that refer to it. Thread-safe.
struct Counters {
  std::atomic<std::uint64_t> bytes_read{0};
  std::atomic<std::uint64_t> bytes_written{0};
};

}  // namespace shunt::io
