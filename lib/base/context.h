// What a caller passes to long work: when to stop, and where to report progress.
#pragma once

#include <cstdint>
#include <string_view>

#include "shunt/base/cancel.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"

namespace shunt {

// A value of two pointers; neither object is owned, and both outlive the work. Work passes it on as
// a whole to the work that it consists of. Thread-safe as far as CancelToken and Progress are.
//
// Code that can be stopped but has no progress to report (a wait for a descriptor or a lock, a scan
// of tables) takes only a `const CancelToken*`, and checks it with check_cancel().
struct Context {
  const CancelToken* cancel = nullptr;  // null: no stop is ever requested
  Progress* progress = nullptr;         // null: progress is not reported

  // Returns kInterrupted once a stop has been requested.
  [[nodiscard]] Result<void> check() const { return check_cancel(cancel); }
  // Returns the number of requests to stop (see CancelToken).
  [[nodiscard]] int requests() const noexcept { return cancel == nullptr ? 0 : cancel->requests(); }

  // As in Progress; they do nothing if it is null.
  void begin(std::string_view what, std::uint64_t total) const {
    if (progress != nullptr) progress->begin(what, total);
  }
  void advance(std::uint64_t bytes) const {
    if (progress != nullptr) progress->advance(bytes);
  }

  // Returns the same token with another Progress; or with none, if the caller reports the progress
  // itself.
  [[nodiscard]] Context telling(Progress* other) const { return {cancel, other}; }
  [[nodiscard]] Context telling_nobody() const { return telling(nullptr); }
};

}  // namespace shunt
