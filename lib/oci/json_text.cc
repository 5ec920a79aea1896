#include "shunt/oci/json_text.h"

#include <fmt/format.h>

namespace shunt::oci {

Result<nlohmann::json> parse_json(std::string_view text) {
  using nlohmann::json;
  std::size_t values = 0;
  bool too_much = false;
  // Called before a value is stored; rejected values take no memory.
  const auto keep = [&](int depth, json::parse_event_t event, json&) {
    if (event == json::parse_event_t::object_end || event == json::parse_event_t::array_end) {
      return true;
    }
    if (depth > kMaxJsonDepth || ++values > kMaxJsonValues) too_much = true;
    return !too_much;
  };
  json value = json::parse(text.begin(), text.end(), keep, false);
  if (too_much) return corrupt("the JSON is too large or too deeply nested");
  if (value.is_discarded()) return corrupt("not valid JSON");
  return value;
}

const nlohmann::json* member(const nlohmann::json& value, const char* name) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(name);
  return found == value.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> text_member(const nlohmann::json& value, const char* name) {
  const nlohmann::json* const found = member(value, name);
  if (found == nullptr) return std::string();
  const auto* const text = found->get_ptr<const std::string*>();
  if (text == nullptr) return corrupt(fmt::format("\"{}\" is not text", name));
  return *text;
}

}  // namespace shunt::oci
