// reserve: puts moov into an existing free box.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "shunt/faststart/strategies/in_place.h"
#include "shunt/text/size_text.h"

namespace shunt::faststart {
namespace {

// Returns the free boxes in front of all media, with adjoining ones joined.
std::vector<ByteRange> reserved_ranges(const mp4::FileMap& file) {
  std::vector<ByteRange> ranges;
  for (const boxes::Box& box : file.free_in_front) {
    if (!ranges.empty() && ranges.back().end == box.range.begin) {
      ranges.back().end = box.range.end;
    } else {
      ranges.push_back(box.range);
    }
  }
  return ranges;
}

std::uint64_t end_of_writes(const in_place::Edit& edit) {
  std::uint64_t end = edit.front_at.end;
  const auto include = [&](const layout::FieldPatch& patch) {
    end = std::max(end, edit.moved(patch.at) + patch.width);
  };
  std::ranges::for_each(edit.patches, include);
  if (edit.mark && !edit.cut_at) include(*edit.mark);
  return end;
}

class Reserve final : public InPlaceStrategy {
 public:
  [[nodiscard]] std::string_view name() const override { return "reserve"; }

  [[nodiscard]] Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    if (movie.file.moov_in_front) {
      return unsuitable(
          fmt::format("there are only {} bytes of room behind moov", movie.room_behind_moov()));
    }
    std::uint64_t largest = 0;
    const std::uint64_t first_referenced = movie.first_referenced();
    for (const ByteRange range : reserved_ranges(movie.file)) {
      if (range.end > first_referenced) {
        if (largest > 0) break;
        return unsuitable(
            fmt::format("the free box at byte {} is in use: an offset points to byte {}",
                        range.begin, first_referenced));
      }
      largest = std::max(largest, range.size());
      if (range.size() < movie.moov.box.range.size()) continue;  // moov only grows
      mp4::Room room;
      room.at = range.begin;
      room.reserved = range.size();
      room.unit = options.unit;
      room.padding = options.padding;
      Result<Plan> plan = build_plan(movie, *this, room, in_place::RoomKind::kReserved);
      if (plan || plan.error().code != ErrorCode::kUnsuitable) return plan;
    }
    if (largest == 0) return unsuitable("there is no free box in front of the media");
    return unsuitable(
        fmt::format("the largest free box in front of the media has {} bytes, moov needs {}",
                    largest, movie.moov.moved_size() + options.padding));
  }

  [[nodiscard]] std::string describe(const Plan& plan, NewFileGoes /*where*/) const override {
    return fmt::format("moov goes into the {} reserved at byte {}; nothing else moves",
                       format_size(plan.room.reserved), plan.room.at);
  }

  [[nodiscard]] Cost cost(const Plan& plan) const override {
    return {.to_read = 2 * plan.sizing.moov_size,  // to be written, and for the journal's digest
            .to_write = plan.edit->front->size(),
            .writes_below = end_of_writes(*plan.edit),
            .space = journal_space(plan)};
  }

  [[nodiscard]] std::string why_not(const Plan& /*plan*/,
                                    const Setting& /*setting*/) const override {
    return {};
  }
};

}  // namespace

const Strategy& reserve() {
  static const Reserve strategy;
  return strategy;
}

}  // namespace shunt::faststart
