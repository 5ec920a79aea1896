// One kind of Source: how its names are told from others and shown, what the cache knows them by,
// how they are opened, and what parts there are.
//
// A kind is a folder below lib/source/ and one line in the table of the program (source/schemes.h).
// Nothing outside its folder knows how its names look.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/source/opened.h"

namespace shunt::source {

class Session;

// "scheme" of "scheme://rest" (RFC 3986, 3.1); empty for a name that does not begin like that.
[[nodiscard]] std::string_view scheme_of(std::string_view name);

// Thread-safe, and without state of its own: what opening needs for longer is in the Session.
class Scheme {
 public:
  virtual ~Scheme() = default;

  // ---- names: pure text, nothing is opened

  [[nodiscard]] virtual bool claims(std::string_view name) const = 0;
  // How its names begin, for messages; may be empty.
  [[nodiscard]] virtual std::vector<std::string_view> prefixes() const { return {}; }
  // The name as it may be shown: without passwords and tokens.
  [[nodiscard]] virtual std::string shown(std::string_view name) const { return std::string(name); }
  // The name in its normal form, by which the cache knows it.
  [[nodiscard]] virtual std::string canonical(std::string_view name) const {
    return std::string(name);
  }
  // The name that was meant by `name`, of which there is no file; for a hint. Not asked about one
  // that lacks no more than slashes behind its scheme.
  [[nodiscard]] virtual std::optional<std::string> meant_by(std::string_view /*name*/) const {
    return std::nullopt;
  }

  // Whether its names name files here, which can be changed in place.
  [[nodiscard]] virtual bool is_file() const { return false; }
  // Whether what is read of it goes through the cache, so that it is there the next time.
  [[nodiscard]] virtual bool uses_cache() const { return false; }
  // Whether it has parts to choose from, as an image has layers.
  [[nodiscard]] virtual bool has_parts() const { return false; }

  // ---- opening

  // `part` chooses one of several, and is empty where has_parts() is false, or for the only one.
  [[nodiscard]] virtual Result<Opened> open(Session& session, const std::string& name,
                                            const std::string& part) const = 0;
  // What `part` of open() may be, in the order in which they belong together.
  [[nodiscard]] virtual Result<std::vector<std::string>> parts(Session& /*session*/,
                                                               const std::string& /*name*/) const {
    return std::vector<std::string>{std::string()};
  }
};

}  // namespace shunt::source
