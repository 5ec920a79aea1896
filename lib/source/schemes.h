// The table of the kinds of Sources, filled by the program.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/source/scheme.h"

namespace shunt::source {

// Immutable once filled, and then thread-safe. The first kind that claims a name handles it.
class Schemes {
 public:
  void add(std::unique_ptr<const Scheme> scheme) { table_.push_back(std::move(scheme)); }

  // Returns the kind that claims `name`, never null. Returns kUsage, with the existing kinds, if
  // there is none, or if `part` is given for a kind without parts.
  [[nodiscard]] Result<const Scheme*> find(std::string_view name, std::string_view part = {}) const;

  // Like the functions of Scheme, for the kind that claims the name.
  [[nodiscard]] std::string shown(std::string_view name) const;
  [[nodiscard]] std::string canonical(std::string_view name) const;
  [[nodiscard]] bool is_file(std::string_view name) const;
  [[nodiscard]] bool uses_cache(std::string_view name) const;

  // Returns `error`, about a file of this name, with a hint what may have been meant.
  [[nodiscard]] Error with_guess(const Error& error, std::string_view name) const;

 private:
  [[nodiscard]] const Scheme* claimed_by(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> meant_by(std::string_view name) const;

  std::vector<std::unique_ptr<const Scheme>> table_;
};

}  // namespace shunt::source
