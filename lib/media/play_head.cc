#include "shunt/media/play_head.h"

#include <cstdint>

#include "shunt/media/module_input.h"
#include "shunt/media/module_loader.h"

namespace shunt::media {
namespace {

constexpr std::uint64_t kMostPayload = std::uint64_t{64} << 20;

}  // namespace

Result<bool> play_head(const io::Source& source, double seconds, const CancelToken* cancel) {
  SHUNT_ASSIGN(const ShuntMediaModule* const module, load_module());
  ModuleInput input(source, cancel, io::Caching::kKeep);
  const ShuntMediaInput callbacks = input.callbacks();
  const int end = module->play(&callbacks, seconds, kMostPayload);
  SHUNT_TRY(input.outcome(end));
  return end != SHUNT_MEDIA_REFUSED;
}

}  // namespace shunt::media
