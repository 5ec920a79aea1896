// A Description as text for people. The results may contain unsafe characters from names: print
// them through line_of (output.h).
#pragma once

#include <string>
#include <vector>

#include "report/description.h"

namespace shunt::cli {

// Returns a value with its unit: "1.5 MiB".
[[nodiscard]] std::string shown(const Value& value, Unit unit);

// Returns the phrases on one line: "SUBJECT: moved (insert), 12.0 KiB read, 0.012 s".
[[nodiscard]] std::string line_for(const Description& description);

// Returns the rows, one line each: "LABEL  TEXT", with the texts in one column.
[[nodiscard]] std::vector<std::string> rows_for(const Description& description);

}  // namespace shunt::cli
