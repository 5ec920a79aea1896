// A Description as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "report/description.h"

namespace shunt::cli {

// An object with a member for each field.
[[nodiscard]] nlohmann::ordered_json to_json(const Description& description);

// The same for a whole document, with its "schema_version" in front.
[[nodiscard]] nlohmann::ordered_json to_json(const Document& document);

}  // namespace shunt::cli
