#include "shunt/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "shunt/http/curl_library.h"
#include "shunt/text/ascii.h"

namespace shunt::http {

namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl().url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

Error no_url(ErrorCode code, std::string_view text, std::string_view reason) {
  Error error;
  error.code = code;
  error.path = show_url(text);
  error.reason = reason;
  return error;
}

// Returns an empty text if there is no such part.
std::string part(CURLU* handle, CURLUPart which, unsigned flags) {
  char* text = nullptr;
  if (curl().url_get(handle, which, &text, flags) != CURLUE_OK) return {};
  std::string result(text);
  curl().free(text);
  return result;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

Result<Url> take_apart(CURLU* handle, ErrorCode code, std::string_view given) {
  Url url;
  url.scheme = ascii::lower(part(handle, CURLUPART_SCHEME, 0));
  if (url.scheme != "http" && url.scheme != "https") {
    return no_url(code, given, "only http and https are supported");
  }
  url.host = ascii::lower(part(handle, CURLUPART_HOST, 0));
  if (url.host.empty()) return no_url(code, given, "the URL names no host");
  url.port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  url.user = part(handle, CURLUPART_USER, CURLU_URLDECODE);
  url.password = part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE);
  curl().url_set(handle, CURLUPART_USER, nullptr, 0);
  curl().url_set(handle, CURLUPART_PASSWORD, nullptr, 0);
  curl().url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  url.text = part(handle, CURLUPART_URL, 0);
  if (url.text.empty()) return no_url(code, given, "not a valid URL");
  return url;
}

constexpr std::size_t kLongestUrl = 64 << 10;

// Returns the name of a parameter without variations: decoded, in lower case, and without
// separators ("api-key", "api_key", "apiKey").
std::string plain_name(std::string_view name) {
  const auto digit = [](char c) {
    const std::size_t value = std::string_view("0123456789abcdef").find(ascii::lower(c));
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
  };
  std::string plain;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == '%' && i + 2 < name.size() && digit(name[i + 1]) >= 0 && digit(name[i + 2]) >= 0) {
      c = static_cast<char>(digit(name[i + 1]) * 16 + digit(name[i + 2]));
      i += 2;
    }
    if (c != '-' && c != '_' && c != '.') plain += ascii::lower(c);
  }
  return plain;
}

// Returns true if the value of the parameter grants access.
bool is_secret(std::string_view name) {
  const std::string plain = plain_name(name);
  for (const std::string_view word : {"sig", "token", "secret", "passw", "credential", "auth",
                                      "jwt", "apikey", "accesskey", "sessionid"}) {
    if (plain.find(word) != std::string::npos) return true;
  }
  for (const std::string_view word : {"key", "code", "pwd", "pass"}) {
    if (plain == word) return true;
  }
  return false;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kLongestUrl || has_control_characters(text)) {
    const Error error = no_url(ErrorCode::kUsage, text.substr(0, 100), "not a valid URL");
    return text.find(' ') == std::string_view::npos ? error
                                                    : error.with_hint("write %20 for a space");
  }
  SHUNT_TRY(load_curl());
  const UrlHandle handle(curl().url());
  if (!handle || curl().url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(),
                                CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return no_url(ErrorCode::kUsage, text, "not a valid URL");
  }
  return take_apart(handle.get(), ErrorCode::kUsage, text);
}

Result<Url> resolve_url(const Url& base, std::string_view location) {
  if (location.size() > kLongestUrl) {
    return no_url(ErrorCode::kNetwork, base.text, "redirects to a URL that is too long");
  }
  SHUNT_TRY(load_curl());
  const UrlHandle handle(curl().url());
  if (!handle || has_control_characters(location) ||
      curl().url_set(handle.get(), CURLUPART_URL, base.text.c_str(), 0) != CURLUE_OK ||
      curl().url_set(handle.get(), CURLUPART_URL, std::string(location).c_str(),
                     CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return no_url(ErrorCode::kNetwork, base.text, "redirects to an invalid URL");
  }
  SHUNT_ASSIGN(Url url, take_apart(handle.get(), ErrorCode::kNetwork, location));
  // Credentials in a redirect are not used.
  url.user.clear();
  url.password.clear();
  return url;
}

std::string object_path(const Url& url) {
  std::string_view text = url.text;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  text.remove_prefix(std::min(text.find_first_of("/?"), text.size()));
  // A signed URL contains something that show_url() hides.
  const bool is_signed = show_url(url.text) != url.text;
  return std::string(is_signed ? text.substr(0, text.find('?')) : text);
}

std::string show_url(std::string_view text) {
  text = text.substr(0, text.find('#'));
  std::string shown;
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    shown = text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    // The last @ before the path, as URL parsers do.
    const auto authority = text.substr(0, text.find_first_of("/?"));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
      text.remove_prefix(at + 1);
    }
  }
  const auto question = text.find('?');
  shown += text.substr(0, question);
  if (question == std::string_view::npos) return shown;
  text.remove_prefix(question);
  while (!text.empty()) {
    const auto end = text.find('&', 1);
    const std::string_view parameter = text.substr(0, end);  // including its ? or &
    const auto equals = parameter.find('=');
    if (equals != std::string_view::npos && is_secret(parameter.substr(1, equals - 1))) {
      shown += fmt::format("{}...", parameter.substr(0, equals + 1));
    } else {
      shown += parameter;
    }
    text.remove_prefix(parameter.size());
  }
  return shown;
}

}  // namespace shunt::http
