// A Description as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "report/description.h"

namespace shunt::cli {

// Returns an object with a member per field.
[[nodiscard]] nlohmann::ordered_json to_json(const Description& description);

// Returns a whole document, starting with "schema_version".
[[nodiscard]] nlohmann::ordered_json to_json(const Document& document);

}  // namespace shunt::cli
