// Reports the progress of long work. The library reports; the caller draws.
#pragma once

#include <cstdint>
#include <string_view>

namespace shunt {

// Called often, on the working thread, so it must be cheap; on several threads at once if several
// files are processed. Never called with a lock held.
class Progress {
 public:
  virtual ~Progress() = default;
  // Begins a phase of `total` bytes; 0: unknown. `what` names it for people ("shifting").
  virtual void begin(std::string_view what, std::uint64_t total) = 0;
  virtual void advance(std::uint64_t bytes) = 0;
  // Bytes of the phase that took no work, since they were cached. They do not count for the rate.
  virtual void skip(std::uint64_t bytes) { advance(bytes); }
};

}  // namespace shunt
