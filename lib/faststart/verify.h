// --verify: compares the packets that libavformat finds before and after.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/media/packet_trace.h"

namespace shunt::faststart {

// Keeps the packets of the original and compares other files with them.
class Verifier {
 public:
  explicit Verifier(const Context& context) : context_(context) {}

  // Reads the packets of the original, without the tracks numbered in `left_out`. Returns
  // kIntegrity if there is nothing to compare: libavformat cannot read it, or finds no packet.
  Result<void> remember(const io::Source& original, std::vector<std::uint32_t> left_out);

  // Returns kIntegrity, with the first difference, if the packets of `candidate` differ.
  Result<void> compare(const io::Source& candidate) const;

 private:
  const Context context_;
  std::vector<std::uint32_t> left_out_;
  media::PacketTrace original_;
};

// Returns the error of a --verify that had nothing to compare.
[[nodiscard]] Error nothing_compared(std::string_view why);

}  // namespace shunt::faststart
