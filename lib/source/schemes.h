// The table of the kinds of Sources, which the program fills.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/source/scheme.h"

namespace shunt::source {

// Immutable once it is filled, and then thread-safe. The first that claims a name has it.
class Schemes {
 public:
  void add(std::unique_ptr<const Scheme> scheme) { table_.push_back(std::move(scheme)); }

  // kUsage, with the kinds that there are, for a name that none of them claims, and for a `part` of
  // what has none. Never null.
  [[nodiscard]] Result<const Scheme*> find(std::string_view name, std::string_view part = {}) const;

  // As in Scheme, of the one that claims the name.
  [[nodiscard]] std::string shown(std::string_view name) const;
  [[nodiscard]] std::string canonical(std::string_view name) const;
  [[nodiscard]] bool is_file(std::string_view name) const;
  [[nodiscard]] bool uses_cache(std::string_view name) const;

  // The error of a file of this name; with a hint what may have been meant, where there is none.
  [[nodiscard]] Error with_guess(const Error& error, std::string_view name) const;

 private:
  [[nodiscard]] const Scheme* claimed_by(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> meant_by(std::string_view name) const;

  std::vector<std::unique_ptr<const Scheme>> table_;
};

}  // namespace shunt::source
