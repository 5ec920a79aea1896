#include "source/schemes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>

namespace shunt::source {
namespace {

// What may be shown of a URL of a kind that nobody knows: not what stands before the host, which
// may be a password, and no parameters.
std::string cautiously_shown(std::string_view name) {
  const std::string_view scheme = scheme_of(name);
  if (scheme.empty()) return std::string(name);
  name = name.substr(0, name.find_first_of("?#"));
  const std::size_t begin = scheme.size() + 3;
  const std::size_t host_end = std::min(name.find('/', begin), name.size());
  const std::size_t at = name.substr(0, host_end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(name);
  return std::string(name.substr(0, begin)) + std::string(name.substr(at + 1));
}

}  // namespace

const Scheme* Schemes::claimed_by(std::string_view name) const {
  for (const auto& scheme : table_) {
    if (scheme->claims(name)) return scheme.get();
  }
  return nullptr;
}

Result<const Scheme*> Schemes::find(std::string_view name) const {
  if (name.empty()) return usage("the name is empty");
  if (const Scheme* const found = claimed_by(name)) return found;
  std::string known;
  for (const auto& scheme : table_) {
    for (const std::string_view prefix : scheme->prefixes()) {
      if (!prefix.ends_with("://")) continue;
      known += (known.empty() ? "" : ", ") + std::string(prefix.substr(0, prefix.size() - 3));
    }
  }
  return usage("not a kind of URL that can be read: " + known).with_path(shown(name));
}

std::string Schemes::shown(std::string_view name) const {
  if (const Scheme* const scheme = claimed_by(name)) return scheme->shown(name);
  return cautiously_shown(name);
}

std::string Schemes::canonical(std::string_view name) const {
  const Scheme* const scheme = claimed_by(name);
  return scheme == nullptr ? std::string(name) : scheme->canonical(name);
}

bool Schemes::is_file(std::string_view name) const {
  const Scheme* const scheme = claimed_by(name);
  return scheme != nullptr && scheme->is_file();
}

bool Schemes::uses_cache(std::string_view name) const {
  const Scheme* const scheme = claimed_by(name);
  return scheme != nullptr && scheme->uses_cache();
}

Result<void> Schemes::check(std::string_view name, std::string_view part) const {
  SHUNT_ASSIGN(const Scheme* const scheme, find(name));
  if (part.empty() || scheme->has_parts()) return {};
  return usage("only images have layers").with_path(scheme->shown(name));
}

Error Schemes::with_guess(const Error& error, std::string_view name) const {
  if (error.system_errno != ENOENT && error.system_errno != ENOTDIR) return error;
  for (const auto& scheme : table_) {
    if (const std::optional<std::string> meant = scheme->meant_by(name)) {
      return error.with_hint(fmt::format("did you mean {}?", *meant));
    }
  }
  return error;
}

}  // namespace shunt::source
