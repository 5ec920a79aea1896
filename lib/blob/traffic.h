// Counts requests and bytes from servers.
#pragma once

#include <cstdint>

namespace shunt::blob {

// The traffic with servers so far.
struct Traffic {
  std::uint64_t requests = 0;       // all that were sent, for any purpose
  std::uint64_t data_requests = 0;  // of these, for content of blobs
  std::uint64_t retries = 0;        // of these, repeated after a failure
  std::uint64_t bytes = 0;          // of blobs that have arrived

  Traffic& operator+=(const Traffic& other) {
    requests += other.requests;
    data_requests += other.data_requests;
    retries += other.retries;
    bytes += other.bytes;
    return *this;
  }
  friend Traffic operator+(Traffic a, const Traffic& b) { return a += b; }
};

}  // namespace shunt::blob
