// The double-buffered shift: moves a range of a file towards the file's end, or back, in the file
// itself. No byte is lost in a crash.
//
// Invariant: the file is its old bytes with a gap of `distance` bytes at the cursor. Bytes before
// the cursor are at their old place, bytes behind it are `distance` further on, and the gap holds
// nothing of value. A step moves at most `distance` bytes across the gap, so it writes only into
// the gap. Then the moved bytes and the cursor are made durable, and only after that is the range
// they came from, which is now the gap, written to. So at every instant each byte is on disk at its
// old or its new place, and the durable cursor says which. The cursor may become durable before the
// bytes do; the digest of the last step shows whether they did.
#pragma once

#include <cstdint>
#include <functional>

#include "shunt/base/byte_range.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// The old bytes between two cursors, which have been written to their new place.
struct ShiftStep {
  std::uint64_t from = 0;    // cursor before the step
  std::uint64_t to = 0;      // cursor after it
  std::uint64_t digest = 0;  // XXH3-64 of the bytes
};

// Parameters of a shift. Pointers are not owned and outlive it.
struct Shift {
  io::File* file = nullptr;
  std::uint64_t distance = 0;  // by which bytes move, in bytes; a multiple of unit
  // Steps begin and end on multiples of it, except at the file's end. In bytes.
  std::uint64_t unit = 4096;
  // Makes the bytes of a step and its cursor durable.
  std::function<Result<void>(const ShiftStep& step)> settle;
  std::function<bool()> should_stop;  // asked after each step; may be empty
  Progress* progress = nullptr;       // may be null
};

// Opens the gap: moves the cursor from `old.end` down to `old.begin`, step by step. When
// should_stop returns true, ends after that step with kInterrupted; the cursor says how far it
// came.
Result<void> shift_towards_end(const Shift& shift, ByteRange old);

// Closes the gap: moves the cursor from `old.begin` up to `old.end`, step by step.
Result<void> shift_back(const Shift& shift, ByteRange old);

}  // namespace shunt::in_place
