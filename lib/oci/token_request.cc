#include "shunt/oci/token_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "shunt/http/basic_authorization.h"
#include "shunt/http/url.h"
#include "shunt/oci/json_text.h"
#include "shunt/oci/registry.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{256} << 10;
constexpr std::size_t kMaxToken = std::size_t{64} << 10;
constexpr std::size_t kMaxScopes = 16;
constexpr const char* kClient = "shunt";

std::string parameter(const http::Challenge& challenge, const char* name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? "" : found->second;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty() && result.size() < kMaxScopes) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

// Over TLS, or on this machine if the registry is too, or if the user permits it.
bool may_get_credentials(const http::Url& realm, const TokenSettings& settings) {
  if (realm.scheme == "https" || settings.plain_http) return true;
  const auto registry = http::parse_url(settings.registry);
  return is_loopback(realm.host) && registry && is_loopback(registry->host);
}

class Form {
 public:
  void add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_ += fmt::format("{}={}", name, ascii::percent_encoded(value));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Returns the error text of a token server's refusal, if it is JSON of a known form.
std::string refusal_text(const std::string& body) {
  const auto json = parse_json(body);
  if (!json) return {};
  for (const char* const name : {"error_description", "details", "message", "error"}) {
    const auto text = text_member(*json, name);
    if (text && !text->empty()) return ": " + one_line(*text);
  }
  return {};
}

}  // namespace

std::string basic_authorization(const Credentials& credentials) {
  return http::basic_authorization(credentials.username, credentials.password);
}

Error login_error(const TokenSettings& settings, std::string reason) {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.path = settings.name;
  error.operation = "log in";
  error.reason = std::move(reason);
  error.hint = settings.credentials.empty()
                   ? "log in with `skopeo login` or `docker login`, or name a file with --authfile"
                   : "check the credentials that `skopeo login` or `docker login` has stored";
  return error;
}

Result<http::DocumentRequest> make_token_request(const http::Challenge& challenge,
                                                 const TokenSettings& settings) {
  const auto realm = http::parse_url(parameter(challenge, "realm"));
  if (!realm) {
    return login_error(settings, fmt::format("the registry names \"{}\" as its token server",
                                             one_line(parameter(challenge, "realm"))));
  }
  const Credentials& credentials = settings.credentials;
  if (!credentials.empty() && !may_get_credentials(*realm, settings)) {
    return login_error(settings,
                       fmt::format("its token server {} would get the credentials over plain HTTP",
                                   one_line(http::show_url(realm->text))));
  }
  std::vector<std::string> scopes = words(parameter(challenge, "scope"));
  if (scopes.empty()) scopes = words(settings.scope);
  const std::string service = parameter(challenge, "service");

  http::DocumentRequest wanted;
  wanted.limit = kMaxAnswer;
  wanted.retry = settings.retry;
  wanted.count = settings.count;
  wanted.request.fields.push_back({"Accept", "application/json"});
  wanted.request.url = realm->text;
  Form form;
  if (!service.empty()) form.add("service", service);
  if (credentials.identity_token.empty()) {
    for (const std::string& scope : scopes) form.add("scope", scope);
    if (!credentials.empty()) {
      form.add("account", credentials.username);
      wanted.own_fields.push_back({"Authorization", basic_authorization(credentials)});
    }
    const bool has_query = realm->text.find('?') != std::string::npos;
    if (!form.text().empty()) wanted.request.url += (has_query ? "&" : "?") + form.text();
    return wanted;
  }
  form.add("grant_type", "refresh_token");
  form.add("client_id", kClient);
  std::string all;
  for (const std::string& scope : scopes) all += (all.empty() ? "" : " ") + scope;
  if (!all.empty()) form.add("scope", all);
  form.add("refresh_token", credentials.identity_token);
  wanted.request.method = "POST";
  wanted.request.fields.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  wanted.request.body = form.text();
  return wanted;
}

Result<Token> read_token(const http::WholeAnswer& answer, const TokenSettings& settings) {
  const int status = answer.answer.status;
  if (status != 200) {
    return login_error(
        settings, fmt::format("the token server answers {}{}", status, refusal_text(answer.body)));
  }
  const auto json = parse_json(answer.body);
  Token token;
  if (json) {
    for (const char* const name : {"token", "access_token"}) {
      const auto text = text_member(*json, name);
      if (text && token.value.empty()) token.value = *text;
    }
  }
  // The token becomes part of a header field.
  const bool sendable =
      std::ranges::all_of(token.value, [](char c) { return c > ' ' && c <= '~'; });
  if (token.value.empty() || token.value.size() > kMaxToken || !sendable) {
    return login_error(settings, "the token server answers without a token");
  }
  if (const nlohmann::json* const lifetime = member(*json, "expires_in")) {
    constexpr double kDay = 24 * 60 * 60;
    const double seconds = lifetime->is_number() ? lifetime->get<double>() : 0;
    // An invalid lifetime counts as missing.
    if (seconds >= 1) {
      token.lifetime = std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kDay)));
    }
  }
  return token;
}

}  // namespace shunt::oci
