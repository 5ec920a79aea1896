#include "report/json.h"

#include <nlohmann/json.hpp>

namespace shunt::cli {
namespace {

constexpr int kSchemaVersion = 1;

void add_fields(const Description& description, nlohmann::ordered_json& object) {
  for (const Field& field : description.fields()) {
    if (!field.name.starts_with('.')) object[field.name] = field.value;
  }
}

}  // namespace

nlohmann::ordered_json to_json(const Description& description) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  add_fields(description, object);
  return object;
}

nlohmann::ordered_json to_json(const Document& document) {
  nlohmann::ordered_json object = {{"schema_version", kSchemaVersion}};
  if (!document.list.empty()) {
    nlohmann::ordered_json& list = object[document.list] = nlohmann::ordered_json::array();
    for (const Description& input : document.inputs) list.push_back(to_json(input));
  }
  add_fields(document.whole, object);
  return object;
}

}  // namespace shunt::cli
