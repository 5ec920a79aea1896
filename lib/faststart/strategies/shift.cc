// shift: moves every byte behind moov's place within the file.
#include <fmt/format.h>

#include <algorithm>

#include "shunt/faststart/setting.h"
#include "shunt/faststart/strategies/in_place.h"
#include "shunt/text/size_text.h"

namespace shunt::faststart {
namespace {

// A shift syncs after each step, which takes as long as writing a few MiB. A larger gap means fewer
// steps, but stays in front of the media; so it is limited to a small part of the file, and to
// kMaxStep, above which steps gain nothing.
constexpr std::uint64_t kSteps = 40;
constexpr std::uint64_t kMaxStep = std::uint64_t{16} << 20;

class Shift final : public InPlaceStrategy {
 public:
  [[nodiscard]] std::string_view name() const override { return "shift"; }

  [[nodiscard]] Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    mp4::Room room = room_in_front(movie, options);
    room.at_least = std::min(kMaxStep, (movie.file.size - movie.file.insert_at) / kSteps);
    return build_plan(movie, *this, room, in_place::RoomKind::kShifted);
  }

  [[nodiscard]] std::string describe(const Plan& plan, NewFileGoes /*where*/) const override {
    return fmt::format("every byte behind moov moves by {} within the file, in steps of that size",
                       format_size(plan.sizing.shift));
  }

  [[nodiscard]] Cost cost(const Plan& plan) const override {
    const in_place::Edit& edit = *plan.edit;
    return {.to_read = plan.size_before + 2 * plan.sizing.moov_size,
            .to_write = plan.size_before - edit.gap_at + edit.front->size(),
            .writes_below = edit.size_with_gap(),
            .space = journal_space(plan) + edit.gap_size};
  }

  [[nodiscard]] std::string why_not(const Plan& plan, const Setting& setting) const override {
    const bool rewrites = setting.file_system.copies_on_write;
    const std::uint64_t moved = plan.size_before - plan.edit->gap_at;
    return missing_space(least_space(plan, setting) + (rewrites ? moved : 0), setting);
  }
};

}  // namespace

const Strategy& shift() {
  static const Shift strategy;
  return strategy;
}

}  // namespace shunt::faststart
