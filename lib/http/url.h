// URLs of HTTP: taking them apart, following a redirect, showing them without secrets.
#pragma once

#include <string>
#include <string_view>

#include "shunt/base/result.h"

namespace shunt::http {

struct Url {
  std::string text;      // to be asked for: without user, password and fragment
  std::string scheme;    // "http" or "https"
  std::string host;      // lower case
  std::string port;      // always there
  std::string user;      // decoded
  std::string password;  // decoded

  // Same origin: scheme, host and port are equal (RFC 6454, 4).
  [[nodiscard]] bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

// kUsage for what is no URL, or of another scheme.
[[nodiscard]] Result<Url> parse_url(std::string_view text);
// Where `location`, perhaps relative, leads from `base`. kNetwork for what cannot be followed.
[[nodiscard]] Result<Url> resolve_url(const Url& base, std::string_view location);

// The path of what `url` stands for, with its query, unless that is signed: then it changes with
// each visit, and the path alone names the object. Without the host, which changes from mirror to
// mirror.
[[nodiscard]] std::string object_path(const Url& url);

// For messages and logs: without user, password and fragment, and without the values of those
// parameters that look like signatures, tokens or passwords.
[[nodiscard]] std::string show_url(std::string_view text);

}  // namespace shunt::http
