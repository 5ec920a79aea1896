// From a movie and a strategy to bytes: the Layout of the new file, and the in-place edit that
// makes the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/faststart/strategy.h"
#include "shunt/in_place/in_place.h"
#include "shunt/layout/field_patch.h"
#include "shunt/layout/layout.h"
#include "shunt/mp4/moov_sizing.h"

namespace shunt::faststart {

// Parameters of planning, besides the movie.
struct PlanOptions {
  std::uint64_t padding = 0;  // bytes to leave free behind moov
  std::uint64_t unit = 4096;  // alignment of the gap, in bytes: the file system's block or more
};

// A value. `strategy` is not owned; strategies live for the whole process.
struct Plan {
  const Strategy* strategy = nullptr;
  mp4::Room room;
  mp4::Sizing sizing;
  std::uint32_t co64_upgraded = 0;
  std::uint64_t size_before = 0;
  layout::Layout layout;  // the whole new file
  // The same as an edit of the old file, if the strategy can use one. For reflink, which makes the
  // gap by cloning, its room is kInserted.
  std::optional<in_place::Edit> edit;

  [[nodiscard]] std::uint64_t size_after() const { return layout.size(); }
};

// Returns true if nothing is to be done: moov is in front, with `padding` bytes free behind it.
// With a padding the movie must have been read to its end.
[[nodiscard]] bool is_done(const mp4::Movie& movie, std::uint64_t padding);
// How far a movie must be read for is_done and for a plan.
[[nodiscard]] mp4::MapUpTo needed_of(std::uint64_t padding);

// Returns the kUnsuitable error of a strategy that cannot be used here.
[[nodiscard]] Error unsuitable(std::string reason);

// ---- for strategies ----

// Returns the room to make for moov in front of all media. A moov that is already in front gets its
// room where it is.
[[nodiscard]] mp4::Room room_in_front(const mp4::Movie& movie, const PlanOptions& options);
// Sizes `room` for a moov that is already in front. Free space behind moov counts, and so does the
// old moov, which becomes part of the free box, unless its bytes have to be removed.
void make_room_behind(const mp4::Movie& movie, mp4::Room& room);

// Builds the plan for `room`. If `edit` is set, the plan has an in-place edit whose gap is made
// that way. Sizes `movie` anew. Returns kUnsuitable if no such file, or no such edit, is possible.
Result<Plan> build_plan(mp4::Movie& movie, const Strategy& strategy, const mp4::Room& room,
                        std::optional<in_place::RoomKind> edit);

// ---- for recovery ----

// Plans an interrupted run again from the original bytes. Returns kUnsuitable if the plan is not
// the same as the one in `record`.
Result<in_place::Edit> replan(const io::SourcePtr& original, const in_place::JournalRecord& record);

}  // namespace shunt::faststart
