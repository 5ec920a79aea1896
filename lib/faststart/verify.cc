#include "shunt/faststart/verify.h"

#include <fmt/format.h>

#include <utility>

namespace shunt::faststart {

Error nothing_compared(std::string_view why) {
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.operation = "verify";
  error.reason = fmt::format("nothing could be compared: {}", why);
  error.hint = "run without --verify to skip the comparison";
  return error;
}

Result<void> Verifier::remember(const io::Source& original, std::vector<std::uint32_t> left_out) {
  left_out_ = std::move(left_out);
  SHUNT_ASSIGN(original_, media::trace_packets(original, context_, left_out_));
  if (!original_.opened) {
    return nothing_compared(fmt::format("libavformat cannot read the file ({})",
                                        original_.failure.value_or("unknown reason")));
  }
  if (original_.packets.empty()) return nothing_compared("libavformat finds no packet");
  return {};
}

Result<void> Verifier::compare(const io::Source& candidate) const {
  SHUNT_ASSIGN(const media::PacketTrace trace,
               media::trace_packets(candidate, context_, left_out_));
  const auto difference = media::first_difference(original_, trace);
  if (!difference) return {};
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.operation = "verify";
  error.reason = *difference;
  return error;
}

}  // namespace shunt::faststart
