// A kind of Source: how its names are recognised and displayed, its key in the cache, how it is
// opened, and its parts.
//
// Each kind is a folder in lib/source/ and one line in the program's table (source/schemes.h).
// Nothing outside its folder knows what its names look like.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/source/opened.h"

namespace shunt::source {

class Session;

// Returns "scheme" of "scheme://rest" (RFC 3986, 3.1); empty for other names.
[[nodiscard]] std::string_view scheme_of(std::string_view name);

// Thread-safe and stateless: whatever lasts longer than an open is kept in the Session.
class Scheme {
 public:
  virtual ~Scheme() = default;

  // ---- names: pure text; nothing is opened

  // Returns true if this kind handles `name`.
  [[nodiscard]] virtual bool claims(std::string_view name) const = 0;
  // Returns the prefixes of its names, for messages; may be empty.
  [[nodiscard]] virtual std::vector<std::string_view> prefixes() const { return {}; }
  // Returns the name for display, without passwords and tokens.
  [[nodiscard]] virtual std::string shown(std::string_view name) const { return std::string(name); }
  // Returns the name in normal form, as used by the cache.
  [[nodiscard]] virtual std::string canonical(std::string_view name) const {
    return std::string(name);
  }
  // Returns what `name`, for which there is no file, may have meant; for a hint. Not called for a
  // name that only lacks slashes behind its scheme.
  [[nodiscard]] virtual std::optional<std::string> meant_by(std::string_view /*name*/) const {
    return std::nullopt;
  }

  // True if its names are local files, which can be changed in place.
  [[nodiscard]] virtual bool is_file() const { return false; }
  // True if it is read through the cache, so that it is there the next time.
  [[nodiscard]] virtual bool uses_cache() const { return false; }
  // True if it has parts to choose from, such as the layers of an image.
  [[nodiscard]] virtual bool has_parts() const { return false; }

  // ---- opening

  // `part` selects one of several; empty if has_parts() is false or there is only one.
  [[nodiscard]] virtual Result<Opened> open(Session& session, const std::string& name,
                                            const std::string& part) const = 0;
  // Returns the possible values of `part` for open(), in their order.
  [[nodiscard]] virtual Result<std::vector<std::string>> parts(Session& /*session*/,
                                                               const std::string& /*name*/) const {
    return std::vector<std::string>{std::string()};
  }
};

}  // namespace shunt::source
