#include "shunt/source/http/http_scheme.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/http/url.h"
#include "shunt/source/http/web.h"
#include "shunt/text/ascii.h"

namespace shunt::source {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

class HttpScheme final : public Scheme {
 public:
  bool claims(std::string_view name) const override {
    const std::string scheme = ascii::lower(scheme_of(name)) + "://";
    return scheme == kHttp || scheme == kHttps;
  }
  bool uses_cache() const override { return true; }
  std::vector<std::string_view> prefixes() const override { return {kHttp, kHttps}; }
  std::string shown(std::string_view name) const override { return http::show_url(name); }
  std::string canonical(std::string_view name) const override {
    const Result<http::Url> url = http::parse_url(std::string(name));
    return url ? url->text : std::string(name);
  }

  std::optional<std::string> meant_by(std::string_view name) const override {
    const std::string_view host = name.substr(0, name.find('/'));
    if (host.empty() || host.size() == name.size()) return std::nullopt;
    if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
      const std::string_view port = host.substr(colon + 1);
      const bool number = !port.empty() && std::ranges::all_of(port, ascii::is_digit);
      if (!number) return std::nullopt;
      return std::string(kHttp) + std::string(name);
    }
    // The first component looks like a host name and is not a folder.
    const std::size_t dot = host.find_last_of('.');
    const bool is_folder = ::access(std::string(host).c_str(), F_OK) == 0;
    const bool like_host = dot != std::string_view::npos && dot > 0 && dot + 1 < host.size() &&
                           host.find("..") == std::string_view::npos;
    if (!like_host || is_folder) return std::nullopt;
    return std::string(kHttps) + std::string(name);
  }

  Result<Opened> open(Session& session, const std::string& name,
                      const std::string& /*part*/) const override {
    SHUNT_ASSIGN(const http::Url parsed, http::parse_url(name));
    http_blob::HttpBlob blob;
    blob.url = name;
    blob.fields = session.options().fields;
    // The key is a hash of the whole URL and the credentials; the stored URL contains no secrets.
    std::string key;
    if (const auto cache = session.cache(); cache != nullptr) {
      Result<std::string> named = cache->key_of_url(parsed.text, http_blob::asker_of(blob));
      if (named) {
        key = std::move(*named);
      } else {
        log::warn("{}: not cached: {}", http::show_url(name), named.error().describe());
      }
    }
    SHUNT_ASSIGN(Opened opened,
                 Web::of(session)->open(std::move(blob), key, http::show_url(parsed.text)));
    if (opened.source == nullptr) opened.identity = http::show_url(name);
    return opened;
  }
};

}  // namespace

std::unique_ptr<const Scheme> http_scheme() {
  return std::make_unique<HttpScheme>();
}

}  // namespace shunt::source
