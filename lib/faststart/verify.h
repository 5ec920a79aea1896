// --verify: the packets that libavformat finds, before and after.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/media/packet_trace.h"

namespace shunt::faststart {

// Remembers the packets of the original and holds others against them.
class Verifier {
 public:
  explicit Verifier(const Context& context) : context_(context) {}

  // Reads the original, all but the tracks of these numbers. kIntegrity where there is nothing to
  // compare: libavformat cannot read it, or finds no packet.
  Result<void> remember(const io::Source& original, std::vector<std::uint32_t> left_out);

  // kIntegrity, naming the first difference, when `candidate` gives other packets.
  Result<void> compare(const io::Source& candidate) const;

 private:
  const Context context_;
  std::vector<std::uint32_t> left_out_;
  media::PacketTrace original_;
};

// The error of a --verify that could compare nothing.
[[nodiscard]] Error nothing_compared(std::string_view why);

}  // namespace shunt::faststart
