// Requests and bytes: what Sources that are far away cost.
#pragma once

#include <cstdint>

namespace shunt::blob {

// What talking to the servers has cost so far.
struct Traffic {
  std::uint64_t requests = 0;       // all that were sent, whatever for
  std::uint64_t data_requests = 0;  // of these, for bytes of blobs
  std::uint64_t retries = 0;        // of these, repeated because one before had failed
  std::uint64_t bytes = 0;          // of blobs that arrived

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
