// Bounded parsing of JSON from servers, files and programs, without exceptions.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::oci {

// Limits on nesting and on the number of values. A manifest nests 5 deep; one of 1,000 layers with
// 20 annotations each has some 25,000 values.
inline constexpr int kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 200'000;

// Returns kCorrupt for invalid JSON, and beyond these limits.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text);

// Returns a member of an object; nullptr if missing or null, or if `value` is not an object.
[[nodiscard]] const nlohmann::json* member(const nlohmann::json& value, const char* name);

// Returns a text member; empty if missing, kCorrupt if it is not text.
[[nodiscard]] Result<std::string> text_member(const nlohmann::json& value, const char* name);

}  // namespace shunt::oci
