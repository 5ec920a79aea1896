// What the strategies that change the file itself have in common.
#pragma once

#include "shunt/faststart/plan.h"
#include "shunt/faststart/strategy.h"

namespace shunt::faststart {

class InPlaceStrategy : public Strategy {
 public:
  [[nodiscard]] bool keeps_inode() const override { return true; }
  Result<void> run(const Plan& plan, Work& work) const override { return work.edit(plan); }
};

// Of disk, at most, but for the holes of a sparse file.
[[nodiscard]] std::uint64_t journal_space(const Plan& plan);

}  // namespace shunt::faststart
