#include "shunt/faststart/strategy.h"

#include "shunt/faststart/plan.h"
#include "shunt/faststart/setting.h"

namespace shunt::faststart {

std::uint64_t Strategy::least_space(const Plan& plan, const Setting& /*setting*/) const {
  return cost(plan).space;
}

std::string Strategy::why_not_tried(const Plan& /*plan*/, const Setting& /*setting*/,
                                    const files::Directory& /*directory*/,
                                    const io::FileRange& /*source*/) const {
  return {};
}

}  // namespace shunt::faststart
