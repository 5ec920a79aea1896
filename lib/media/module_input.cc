#include "shunt/media/module_input.h"

#include <span>
#include <utility>

namespace shunt::media {

ShuntMediaInput ModuleInput::callbacks() {
  return {this, source_.size(), &ModuleInput::read_at, &ModuleInput::cancelled};
}

Result<void> ModuleInput::outcome(int end) {
  if (exception_) std::rethrow_exception(exception_);
  if (error_) return *std::move(error_);
  if (end == SHUNT_MEDIA_STOPPED) {
    if (auto asked = check_cancel(cancel_); !asked) return asked.error().with_path(source_.name());
  }
  return {};
}

std::int64_t ModuleInput::read_at(void* context, std::uint64_t offset, std::uint8_t* into,
                                  std::size_t size) {
  auto& self = *static_cast<ModuleInput*>(context);
  std::int64_t got = -1;
  self.guarded([&] {
    auto read =
        self.source_.read_at(offset, std::as_writable_bytes(std::span(into, size)), self.caching_);
    if (read) {
      got = static_cast<std::int64_t>(*read);
    } else {
      self.error_ = std::move(read).error();
    }
  });
  return got;
}

int ModuleInput::cancelled(void* context) {
  const auto& self = *static_cast<const ModuleInput*>(context);
  return self.exception_ || (self.cancel_ != nullptr && self.cancel_->requested()) ? 1 : 0;
}

}  // namespace shunt::media
