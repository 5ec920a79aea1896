// --verify: the packets that libavformat finds, before and after.
#pragma once

#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/result.h"
#include "io/source.h"
#include "media/packet_trace.h"

namespace shunt::faststart {

// Remembers the packets of the original and holds others against them.
class Verifier {
 public:
  Verifier(const CancelToken* cancel, Progress* progress) : cancel_(cancel), progress_(progress) {}

  // Reads the original. Where libavformat can't, there is nothing to compare: comparable() is false
  // and the reason is given.
  Result<void> remember(const io::Source& original);
  [[nodiscard]] bool comparable() const { return !not_comparable_; }
  [[nodiscard]] const std::optional<std::string>& why_not() const { return not_comparable_; }
  void give_up(std::string why) { not_comparable_ = std::move(why); }

  // kIntegrity, naming the first difference, when `candidate` gives other packets. Does nothing
  // when not comparable.
  Result<void> compare(const io::Source& candidate) const;

 private:
  const CancelToken* cancel_;
  Progress* progress_;
  media::PacketTrace original_;
  std::optional<std::string> not_comparable_;
};

}  // namespace shunt::faststart
