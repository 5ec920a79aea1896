// copy: writes a new file from the old one.
#include <fmt/format.h>

#include <algorithm>

#include "shunt/faststart/plan.h"
#include "shunt/faststart/setting.h"
#include "shunt/faststart/strategy.h"
#include "shunt/layout/realise.h"

namespace shunt::faststart {
namespace {

class Copy final : public Strategy {
 public:
  [[nodiscard]] std::string_view name() const override { return "copy"; }
  [[nodiscard]] bool keeps_inode() const override { return false; }
  [[nodiscard]] bool goes_into_streams() const override { return true; }

  [[nodiscard]] Result<Plan> plan(mp4::Movie& movie, const PlanOptions& options) const override {
    mp4::Room room;
    room.at = movie.file.insert_at;
    room.padding = options.padding;
    room.keep_old_moov = movie.file.distances_cross_moov;
    make_room_behind(movie, room);
    return build_plan(movie, *this, room, std::nullopt);
  }

  [[nodiscard]] std::string describe(const Plan& /*plan*/, NewFileGoes where) const override {
    return where == NewFileGoes::kElsewhere
               ? "a new file is written"
               : "a new file is written beside this one and replaces it";
  }

  [[nodiscard]] Cost cost(const Plan& plan) const override {
    return {.to_read = plan.size_before,
            .to_write = plan.size_after(),
            .writes_below = plan.size_after(),
            .space = plan.size_after()};
  }

  // A sparse file stays sparse.
  [[nodiscard]] std::uint64_t least_space(const Plan& plan, const Setting& setting) const override {
    const std::uint64_t whole = cost(plan).space;
    if (!setting.has_status) return whole;
    return std::min(whole, static_cast<std::uint64_t>(setting.status.st_blocks) * 512 +
                               plan.sizing.moov_size + setting.file_system.block_size);
  }

  [[nodiscard]] std::string why_not(const Plan& plan, const Setting& setting) const override {
    if (setting.status.st_nlink > 1) return why_not_parted(setting);
    return why_no_space(plan, setting);
  }

  Result<void> run(const Plan& plan, Work& work) const override {
    return work.make_new(plan, [&](const io::FileRange& /*source*/, io::File& out) {
      return layout::write_file(plan.layout, out, work.context());
    });
  }
};

}  // namespace

const Strategy& copy() {
  static const Copy strategy;
  return strategy;
}

}  // namespace shunt::faststart
