#include "faststart/verify.h"

#include <fmt/format.h>

namespace shunt::faststart {

Result<void> Verifier::remember(const io::Source& original) {
  SHUNT_ASSIGN(original_, media::trace_packets(original, cancel_, progress_));
  if (!original_.opened) {
    not_comparable_ = fmt::format("libavformat cannot read the original ({})",
                                  original_.failure.value_or("unknown reason"));
  }
  return {};
}

Result<void> Verifier::compare(const io::Source& candidate) const {
  if (!comparable()) return {};
  SHUNT_ASSIGN(const media::PacketTrace trace, media::trace_packets(candidate, cancel_, progress_));
  const auto difference = media::first_difference(original_, trace);
  if (!difference) return {};
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.operation = "verify";
  error.reason = *difference;
  return error;
}

}  // namespace shunt::faststart
