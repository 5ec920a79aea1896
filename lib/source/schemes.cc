#include "shunt/source/schemes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>

#include "shunt/text/ascii.h"

namespace shunt::source {
namespace {

constexpr std::string_view kSlashes = "://";

// Returns a URL of an unknown kind for display: without user and password, and without parameters.
std::string cautiously_shown(std::string_view name) {
  const std::string_view scheme = scheme_of(name);
  if (scheme.empty()) return std::string(name);
  name = name.substr(0, name.find_first_of("?#"));
  const std::size_t begin = scheme.size() + kSlashes.size();
  const std::size_t host_end = std::min(name.find('/', begin), name.size());
  const std::size_t at = name.substr(0, host_end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(name);
  return std::string(name.substr(0, begin)) + std::string(name.substr(at + 1));
}

// Returns `name` with the slashes of `prefix` ("scheme://") added, for "scheme:/x" and "scheme:x",
// which are paths; nullopt for anything else.
std::optional<std::string> with_slashes(std::string_view name, std::string_view prefix) {
  const std::string_view begin = prefix.substr(0, prefix.size() - 2);
  if (!ascii::lower(name).starts_with(begin)) return std::nullopt;
  std::string_view rest = name.substr(begin.size());
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return std::string(prefix) + std::string(rest);
}

}  // namespace

const Scheme* Schemes::claimed_by(std::string_view name) const {
  for (const auto& scheme : table_) {
    if (scheme->claims(name)) return scheme.get();
  }
  return nullptr;
}

Result<const Scheme*> Schemes::find(std::string_view name, std::string_view part) const {
  if (name.empty()) return usage("the name is empty");
  if (const Scheme* const found = claimed_by(name)) {
    if (part.empty() || found->has_parts()) return found;
    return usage("only images have layers").with_path(found->shown(name));
  }
  std::string known;
  for (const auto& scheme : table_) {
    for (std::string_view prefix : scheme->prefixes()) {
      if (!prefix.ends_with(kSlashes)) continue;
      prefix.remove_suffix(kSlashes.size());
      known += (known.empty() ? "" : ", ") + std::string(prefix);
    }
  }
  return usage("unsupported kind of URL: " + known).with_path(shown(name));
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

std::optional<std::string> Schemes::meant_by(std::string_view name) const {
  for (const auto& scheme : table_) {
    for (const std::string_view prefix : scheme->prefixes()) {
      if (!prefix.ends_with(kSlashes)) continue;
      if (auto meant = with_slashes(name, prefix)) return meant;
    }
  }
  for (const auto& scheme : table_) {
    if (auto meant = scheme->meant_by(name)) return meant;
  }
  return std::nullopt;
}

Error Schemes::with_guess(const Error& error, std::string_view name) const {
  if (error.system_errno != ENOENT && error.system_errno != ENOTDIR) return error;
  const std::optional<std::string> meant = meant_by(name);
  return meant ? error.with_hint(fmt::format("did you mean {}?", *meant)) : error;
}

}  // namespace shunt::source
