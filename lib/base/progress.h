// Telling how far long work has come. The library reports; what is drawn is the caller's matter.
#pragma once

#include <cstdint>
#include <string_view>

namespace shunt {

// Called from the thread that does the work, often; an implementation must be cheap and may be
// called from several threads at once when several files are worked on. Never called with a lock
// held.
class Progress {
 public:
  virtual ~Progress() = default;
  // A new stretch of work begins, `total` bytes long; 0: nobody knows. `what` names it for people
  // ("shifting").
  virtual void begin(std::string_view what, std::uint64_t total) = 0;
  virtual void advance(std::uint64_t bytes) = 0;
  // Of the stretch, but nothing had to be done for it: it was in the cache. Such bytes say nothing
  // about how fast the rest will come.
  virtual void skip(std::uint64_t bytes) { advance(bytes); }
};

}  // namespace shunt
