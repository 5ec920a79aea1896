// JSON from servers, files and programs: bounded, without exceptions.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::oci {

// What a document may nest and hold. A manifest is 5 deep; one of 1,000 layers with 20 annotations
// each has some 25,000 values.
inline constexpr int kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 200'000;

// kCorrupt for what is no JSON, or more than the above.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text);

// A member of an object; nullptr when it is not there, is null, or `value` is no object.
[[nodiscard]] const nlohmann::json* member(const nlohmann::json& value, const char* name);

// A member that is text; empty when it is not there. kCorrupt when it is something else.
[[nodiscard]] Result<std::string> text_member(const nlohmann::json& value, const char* name);

}  // namespace shunt::oci
