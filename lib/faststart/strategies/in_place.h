// What the strategies that change the file itself share.
#pragma once

#include "shunt/faststart/plan.h"
#include "shunt/faststart/strategy.h"

namespace shunt::faststart {

class InPlaceStrategy : public Strategy {
 public:
  [[nodiscard]] bool keeps_inode() const override { return true; }
  Result<void> run(const Plan& plan, Work& work) const override { return work.edit(plan); }
};

// Returns an upper bound on the disk space of the journal, in bytes. The list of holes of a sparse
// file is not included.
[[nodiscard]] std::uint64_t journal_space(const Plan& plan);

}  // namespace shunt::faststart
