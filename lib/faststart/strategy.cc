#include "faststart/strategy.h"

#include "faststart/plan.h"
#include "faststart/setting.h"

namespace shunt::faststart {

std::uint64_t Strategy::least_space(const Plan& plan, const Setting& /*setting*/) const {
  return cost(plan).space;
}

std::string Strategy::why_not_tried(const Plan& /*plan*/, const Setting& /*setting*/,
                                    const io::Directory& /*directory*/,
                                    const io::FileRange& /*source*/) const {
  return {};
}

}  // namespace shunt::faststart
