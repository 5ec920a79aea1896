// Realising a plan as a new file: by sharing extents, or by copying.
#pragma once

#include "base/result.h"
#include "faststart/plan.h"
#include "io/file.h"
#include "io/source.h"
#include "layout/realise.h"

namespace shunt::faststart {

// Fills `out`, which is empty, with what `plan` (of kReflink) makes of the Source whose bytes lie
// at `source` in a file. kUnsuitable when the file system cannot share, or not at that place; `out`
// may have content then.
Result<void> write_reflink(const Plan& plan, const io::FileRange& source, io::File& out);

// Whether this user may give a new file, which belongs to `new_group` at first, the same owner and
// group. Empty when they may, otherwise the reason.
[[nodiscard]] std::string why_not_ownable(const struct stat& status, gid_t new_group);

// The group of what is made in this directory.
[[nodiscard]] gid_t group_in(const struct stat& directory);

}  // namespace shunt::faststart
