// The double-buffered shift: moves a stretch of a file towards its end, or back, within the file
// itself and without losing a byte to a crash.
//
// Invariant: the file is its old bytes with a gap of `distance` bytes at the cursor. What lies
// before the cursor is where it always was, what lies behind is `distance` further on, and the gap
// itself holds nothing of value. A step moves at most `distance` bytes across the gap, so that it
// only ever writes into the gap; then the moved bytes and the cursor are made durable, and only
// then is the place they came from, now the gap, written to. At every instant each byte is on disk
// at its old or at its new place. The durable cursor says at which; with the digest of the last
// step, for the cursor may become durable before the bytes do.
#pragma once

#include <cstdint>
#include <functional>

#include "shunt/base/byte_range.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// Old bytes between two cursors, which have been written to their new place.
struct ShiftStep {
  std::uint64_t from = 0;    // the cursor before
  std::uint64_t to = 0;      // and behind it
  std::uint64_t digest = 0;  // XXH3-64 of the bytes
};

struct Shift {
  io::File* file = nullptr;    // not owned
  std::uint64_t distance = 0;  // by which bytes move; a multiple of unit
  std::uint64_t unit = 4096;   // steps begin and end on multiples of this, but for the file's end
  // Makes the bytes of a step and its cursor durable.
  std::function<Result<void>(const ShiftStep& step)> settle;
  std::function<bool()> should_stop;  // asked after each step; may be empty
  Progress* progress = nullptr;       // may be null
};

// Opens the gap: moves the cursor from `old.end` down to `old.begin`, step by step from the back.
// Told to stop, it ends after a step with kInterrupted; the cursor says how far it came.
Result<void> shift_towards_end(const Shift& shift, ByteRange old);

// Closes it again: moves the cursor from `old.begin` up to `old.end`, step by step from the front.
Result<void> shift_back(const Shift& shift, ByteRange old);

}  // namespace shunt::in_place
