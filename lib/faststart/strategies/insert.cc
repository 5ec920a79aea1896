// insert: puts moov into a range that the file system inserts.
#include <fmt/format.h>

#include "shunt/base/checked.h"
#include "shunt/faststart/setting.h"
#include "shunt/faststart/strategies/in_place.h"
#include "shunt/text/size_text.h"

namespace shunt::faststart {
namespace {

// Units to try after the file system's block: ext4 with bigalloc and XFS real-time files have
// larger allocation units that are not reported.
constexpr std::uint64_t kLargerUnits[] = {std::uint64_t{64} << 10, std::uint64_t{1} << 20};

class Insert final : public InPlaceStrategy {
 public:
  [[nodiscard]] std::string_view name() const override { return "insert"; }
  // Unless the kernel can do it safely, an interrupted insertion may lose bytes.
  [[nodiscard]] bool can_be_forced() const override { return false; }

  [[nodiscard]] std::vector<std::uint64_t> units(std::uint64_t block_size) const override {
    std::vector<std::uint64_t> all{block_size};
    for (const std::uint64_t unit : kLargerUnits) {
      if (unit > block_size) all.push_back(unit);
    }
    return all;
  }

  [[nodiscard]] Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    return build_plan(movie, *this, room_in_front(movie, options), in_place::RoomKind::kInserted);
  }

  [[nodiscard]] std::string describe(const Plan& plan, NewFileGoes /*where*/) const override {
    return fmt::format("the file system opens {} at byte {}; only moov is written",
                       format_size(plan.sizing.shift), plan.edit->gap_at);
  }

  [[nodiscard]] Cost cost(const Plan& plan) const override {
    const std::uint64_t front = plan.edit->front->size();
    return {.to_read = 2 * plan.sizing.moov_size,  // to be written, and for the journal's digest
            .to_write = front,
            .writes_below = plan.edit->size_with_gap(),  // even if some is cut off later
            .space = journal_space(plan) + round_up(front, plan.room.unit) + plan.room.unit};
  }

  [[nodiscard]] std::string why_not(const Plan& plan, const Setting& setting) const override {
    if (!setting.file_system.insert_range) {
      return fmt::format("{} cannot insert a range into a file", setting.file_system.name);
    }
    return why_no_space(plan, setting);
  }
};

}  // namespace

const Strategy& insert() {
  static const Insert strategy;
  return strategy;
}

}  // namespace shunt::faststart
