// Lists of Sources, for `cache-warm --from`.
#pragma once

#include <string>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/text/range_text.h"

namespace shunt::cli {

struct ListedSource {
  std::string source;
  std::vector<RangeText> ranges;  // empty: those of the command line
};

// Reads one Source per line, followed by its ranges, separated by blanks. Skips empty lines, lines
// that begin with '#', and a byte order mark. `path` "-" is standard input. Returns kUsage with the
// line that is wrong.
[[nodiscard]] Result<std::vector<ListedSource>> read_source_list(const std::string& path,
                                                                 const CancelToken& cancel);

}  // namespace shunt::cli
