// Realising a plan as a new file: by sharing extents, or by copying.
#pragma once

#include "base/result.h"
#include "faststart/plan.h"
#include "io/file.h"
#include "layout/realise.h"

namespace shunt::faststart {

// Fills `out`, which is empty, with what `plan` (of kReflink) makes of `source`. kUnsuitable when
// the file system cannot share; `out` may have content then.
Result<void> write_reflink(const Plan& plan, const io::File& source, io::File& out);

// Whether a new file may take the place of this one without anybody losing something: it has one
// name, and this user may give the new one the same owner. Empty when it may, otherwise the reason.
[[nodiscard]] std::string why_not_replaceable(const struct stat& status);

}  // namespace shunt::faststart
