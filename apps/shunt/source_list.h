// Lists of Sources, as `cache-warm --from` reads them.
#pragma once

#include <string>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/text/range_text.h"

namespace shunt::cli {

struct ListedSource {
  std::string source;
  std::vector<RangeText> ranges;  // none: what the command line says
};

// One Source a line, then its ranges, separated by blanks; lines that begin with '#', and empty
// ones, are passed over, and so is a byte order mark in front. `path` "-" is standard input. kUsage
// names the line that is wrong.
[[nodiscard]] Result<std::vector<ListedSource>> read_source_list(const std::string& path,
                                                                 const CancelToken& cancel);

}  // namespace shunt::cli
