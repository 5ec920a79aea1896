// The module's input over a Source: our side of its callbacks. Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/media/module_abi.h"

namespace shunt::media {

// Exceptions must not cross the module's C code: they are kept here, like errors, and the work is
// told to stop. Used for one call of the module; nothing is owned, all outlives it.
class ModuleInput {
 public:
  // `cancel` may be null; `caching` is used for reads.
  ModuleInput(const io::Source& source, const CancelToken* cancel, io::Caching caching)
      : source_(source), cancel_(cancel), caching_(caching) {}
  ModuleInput(const ModuleInput&) = delete;
  ModuleInput& operator=(const ModuleInput&) = delete;

  // Returns the struct to pass to the module; valid during the lifetime of this object.
  [[nodiscard]] ShuntMediaInput callbacks();

  // Runs `work` for a callback; returns false if it threw.
  template <typename Work>
  bool guarded(const Work& work) noexcept {
    try {
      work();
      return true;
    } catch (...) {
      exception_ = std::current_exception();
      return false;
    }
  }

  // Call after the module has returned `end`: rethrows a kept exception, or returns the error of
  // the Source or kInterrupted.
  Result<void> outcome(int end);

 private:
  static std::int64_t read_at(void* context, std::uint64_t offset, std::uint8_t* into,
                              std::size_t size);
  static int cancelled(void* context);

  const io::Source& source_;
  const CancelToken* cancel_;
  io::Caching caching_;
  std::optional<Error> error_;
  std::exception_ptr exception_;
};

}  // namespace shunt::media
