// HTTP URLs: parsing, resolving redirects, and display without secrets.
#pragma once

#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::http {

struct Url {
  std::string text;      // as sent: without user, password and fragment
  std::string scheme;    // "http" or "https"
  std::string host;      // lower case
  std::string port;      // never empty; the default port of the scheme if none is given
  std::string user;      // decoded
  std::string password;  // decoded

  // Returns true if scheme, host and port are equal (RFC 6454, 4).
  [[nodiscard]] bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

// Returns kUsage if `text` is not a URL or has another scheme.
[[nodiscard]] Result<Url> parse_url(std::string_view text);
// Resolves `location`, which may be relative, against `base`. Returns kNetwork if it cannot be
// followed.
[[nodiscard]] Result<Url> resolve_url(const Url& base, std::string_view location);

// Returns the path and query that identify the object. The query is left out if it is signed, since
// it then changes with each request. The host is left out, since it differs between mirrors.
[[nodiscard]] std::string object_path(const Url& url);

// Returns `text` for messages and logs: without user, password and fragment, and without values of
// parameters that look like signatures, tokens or passwords.
[[nodiscard]] std::string show_url(std::string_view text);

}  // namespace shunt::http
