// Turns exceptions into Errors where they must not pass: at the end of a thread, and in callbacks
// from C.
#pragma once

#include <type_traits>
#include <utility>

#include "shunt/base/result.h"

namespace shunt {

// Returns kLocalIo with ENOMEM. Allocates nothing.
[[nodiscard]] Error out_of_memory() noexcept;

// Returns the exception being handled as an Error; call it in a catch clause only. std::bad_alloc
// becomes out_of_memory(); anything else is a bug (kFailed) with its message.
[[nodiscard]] Error error_of_exception() noexcept;

// Returns the result of `work`, which returns a Result. An exception becomes an Error.
template <typename Work>
std::invoke_result_t<Work&> catching(Work&& work) noexcept {
  static_assert(std::is_nothrow_move_constructible_v<Error>);
  try {
    return work();
  } catch (...) {
    return error_of_exception();
  }
}

// Runs `step`. An exception is lost: for what can be done without, and where nobody can be told.
template <typename Step>
void attempt(Step step) noexcept {
  (void)catching([&]() -> Result<void> {
    step();
    return {};
  });
}

// Runs `step`. An exception is passed to `failed` as a Result<void>, so that nobody waits in vain.
// An exception of `failed` is lost.
template <typename Step, typename Failed>
void run_or_fail(Step step, Failed failed) noexcept {
  const Result<void> done = catching([&]() -> Result<void> {
    step();
    return {};
  });
  if (done) return;
  attempt([&] { failed(done); });
}

}  // namespace shunt
