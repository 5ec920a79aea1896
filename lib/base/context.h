// What long work is lent by whoever wants it done: when to stop, and whom to tell how far it is.
#pragma once

#include <cstdint>
#include <string_view>

#include "shunt/base/cancel.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"

namespace shunt {

// A value of two pointers, neither of which is owned: both outlive the work. Work hands it on as a
// whole to the work that it is made of. As many threads as like may use one; see CancelToken and
// Progress for what they promise.
//
// What can be stopped and has nothing to tell (a wait for a descriptor or a lock, a scan of tables)
// takes `const CancelToken*` alone, and check_cancel() asks it.
struct Context {
  const CancelToken* cancel = nullptr;  // null: nobody stops the work
  Progress* progress = nullptr;         // null: nobody wants to know

  // A kInterrupted error once a stop has been requested.
  [[nodiscard]] Result<void> check() const { return check_cancel(cancel); }
  // How often it has been (see CancelToken).
  [[nodiscard]] int requests() const noexcept { return cancel == nullptr ? 0 : cancel->requests(); }

  // As in Progress; nothing where nobody wants to know.
  void begin(std::string_view what, std::uint64_t total) const {
    if (progress != nullptr) progress->begin(what, total);
  }
  void advance(std::uint64_t bytes) const {
    if (progress != nullptr) progress->advance(bytes);
  }

  // The same stop, with somebody else to tell; for work whose caller tells of it himself, nobody.
  [[nodiscard]] Context telling(Progress* other) const { return {cancel, other}; }
  [[nodiscard]] Context telling_nobody() const { return telling(nullptr); }
};

}  // namespace shunt
