// From a movie and a strategy to bytes: the Layout of the new file, and the edit that makes it in
// place.
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

// What planning needs to know besides the movie.
struct PlanOptions {
  std::uint64_t padding = 0;  // bytes to stay free behind moov
  std::uint64_t unit = 4096;  // in which extents move: the file system's block, or larger
};

// A value. `strategy` is not owned.
struct Plan {
  const Strategy* strategy = nullptr;
  mp4::Room room;
  mp4::Sizing sizing;
  std::uint32_t co64_upgraded = 0;
  std::uint64_t size_before = 0;
  layout::Layout layout;  // the whole new file
  // The same as an edit of the old file, where the strategy can use one. reflink makes the gap by
  // cloning; the edit's room is kInserted then.
  std::optional<in_place::Edit> edit;

  [[nodiscard]] std::uint64_t size_after() const { return layout.size(); }
};

// Whether the file is as it is to be: moov in front, with so much room behind it. With padding, of
// a movie that was read to its end.
[[nodiscard]] bool is_done(const mp4::Movie& movie, std::uint64_t padding);
// How far a movie has to be read for that, and for a plan.
[[nodiscard]] mp4::MapUpTo needed_of(std::uint64_t padding);

// What a strategy that is not possible here fails with.
[[nodiscard]] Error unsuitable(std::string reason);

// ---- for strategies ----

// The room to open for moov in front of all media. A moov that is in front is given its room where
// it is.
[[nodiscard]] mp4::Room room_in_front(const mp4::Movie& movie, const PlanOptions& options);
// Makes of `room` what a moov that is in front needs: what is there already counts, and so does the
// old moov, which becomes part of the free box behind the new one, unless its bytes are to go.
void make_room_behind(const mp4::Movie& movie, mp4::Room& room);

// The plan for `room`, with an edit of the old file when `edit` says how its gap is made. Sizes
// `movie` anew. kUnsuitable when there can be no such file, or no such edit.
Result<Plan> build_plan(mp4::Movie& movie, const Strategy& strategy, const mp4::Room& room,
                        std::optional<in_place::RoomKind> edit);

// ---- for recovery ----

// The plan that an interrupted run followed, made again from the original bytes; kUnsuitable when
// it does not come out the same.
Result<in_place::Edit> replan(const io::SourcePtr& original, const in_place::JournalRecord& record);

}  // namespace shunt::faststart
