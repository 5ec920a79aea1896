// A Description as text for people. What it returns may have anything in its names: it is to be
// printed through line_of (output.h).
#pragma once

#include <string>
#include <vector>

#include "report/description.h"

namespace shunt::cli {

// A value with its unit: "1.5 MiB".
[[nodiscard]] std::string shown(const Value& value, Unit unit);

// The phrases, in one line: "SUBJECT: moved (insert), 12.0 KiB read, 0.012 s".
[[nodiscard]] std::string line_for(const Description& description);

// The rows, one line each: "LABEL  TEXT", the text at the same column.
[[nodiscard]] std::vector<std::string> rows_for(const Description& description);

}  // namespace shunt::cli
