// Our side of the module's input: its callbacks, over a Source. Private to the room.
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

// The module runs C code between its entries and the callbacks, which no exception may cross: they
// are kept here, as errors are, and the work is told to stop. For one call of the module; nothing
// is owned.
class ModuleInput {
 public:
  // `cancel` may be null; `caching` is for the reads.
  ModuleInput(const io::Source& source, const CancelToken* cancel, io::Caching caching)
      : source_(source), cancel_(cancel), caching_(caching) {}
  ModuleInput(const ModuleInput&) = delete;
  ModuleInput& operator=(const ModuleInput&) = delete;

  // What to hand to the module; valid as long as this.
  [[nodiscard]] ShuntMediaInput callbacks();

  // Runs `work`, which a callback asks for; false when it threw.
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

  // After the module has returned `end`: throws what was kept, or fails with what the Source said,
  // or with kInterrupted.
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
