// Exceptions as Errors, where they must not go on: at the end of a thread, and before frames of C
// that called us.
#pragma once

#include <type_traits>
#include <utility>

#include "shunt/base/result.h"

namespace shunt {

// Memory or address space is used up: kLocalIo with ENOMEM. Makes nothing on the heap.
[[nodiscard]] Error out_of_memory() noexcept;

// The exception that is being handled; within a catch clause only. std::bad_alloc is
// out_of_memory(), anything else a mistake in the program (kFailed) with what it says of itself.
[[nodiscard]] Error error_of_exception() noexcept;

// What `work`, which returns a Result, comes to; what it throws is an error like others.
template <typename Work>
std::invoke_result_t<Work&> catching(Work&& work) noexcept {
  static_assert(std::is_nothrow_move_constructible_v<Error>);
  try {
    return work();
  } catch (...) {
    return error_of_exception();
  }
}

// Runs `step`; what it throws is handed to `failed` as a Result<void>, so that nobody waits in vain
// for what the step was to bring. What that throws in turn is lost.
template <typename Step, typename Failed>
void run_or_fail(Step step, Failed failed) noexcept {
  const Result<void> done = catching([&]() -> Result<void> {
    step();
    return {};
  });
  if (done) return;
  (void)catching([&]() -> Result<void> {
    failed(done);
    return {};
  });
}

}  // namespace shunt
