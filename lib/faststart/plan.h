// From a movie and a strategy to bytes: the Layout of the new file, and the edit that makes it in
// place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "faststart/strategy.h"
#include "layout/field_patch.h"
#include "layout/in_place.h"
#include "layout/layout.h"
#include "mp4/moov_sizing.h"

namespace shunt::faststart {

// What planning needs to know besides the movie.
struct PlanOptions {
  std::uint64_t padding = 0;  // bytes to stay free behind moov
  std::uint64_t unit = 4096;  // in which extents move: the file system's block, or larger
};

struct Plan {
  Strategy strategy = Strategy::kCopy;
  mp4::Room room;
  mp4::Sizing sizing;
  std::uint32_t co64_upgraded = 0;
  std::uint64_t size_before = 0;
  layout::Layout layout;  // the whole new file
  // Of every strategy but copy: the same as an edit of the old file. reflink makes the gap by
  // cloning; the edit's room is kInserted then.
  std::optional<layout::InPlaceEdit> edit;

  [[nodiscard]] std::uint64_t size_after() const { return layout.size(); }
  // What realising it reads and writes, in bytes, besides the journal.
  [[nodiscard]] std::uint64_t bytes_to_read() const;
  [[nodiscard]] std::uint64_t bytes_to_write() const;
  // Where the last byte that it writes ends, in the file that it writes to.
  [[nodiscard]] std::uint64_t writes_below() const;
  // Disk space that it needs besides the file while it runs.
  [[nodiscard]] std::uint64_t space_needed() const;

 private:
  [[nodiscard]] std::uint64_t journal_space() const;
};

// Whether the file is as it is to be: moov in front, with so much room behind it. With padding, of
// a movie that was read to its end.
[[nodiscard]] bool is_done(const mp4::Movie& movie, std::uint64_t padding);
// How far a movie has to be read for that, and for a plan.
[[nodiscard]] mp4::MapUpTo needed_of(std::uint64_t padding);

// What a strategy that is not possible here fails with.
[[nodiscard]] Error unsuitable(std::string reason);

// kUnsuitable when the strategy cannot make this file. Sizes `movie` anew. A moov that is in front
// is given its room: where it is, and the old one, behind it, becomes part of the free box.
Result<Plan> make_plan(mp4::Movie& movie, Strategy strategy, const PlanOptions& options);

// The plan that an interrupted run followed, made again from the original bytes; kUnsuitable when
// it does not come out the same.
Result<layout::InPlaceEdit> replan(const io::SourcePtr& original,
                                   const layout::JournalRecord& record);

}  // namespace shunt::faststart
