#include "shunt/http/basic_authorization.h"

#include <utility>

#include "shunt/http/base64.h"
#include "shunt/http/url.h"

namespace shunt::http {
namespace {

class FixedAuthorization final : public blob::Authorizer {
 public:
  FixedAuthorization(Result<Url> origin, std::string value)
      : origin_(std::move(origin)), value_(std::move(value)) {}

  std::string sign(blob::Request& request) override {
    if (!is_for(request.url)) return {};
    request.fields.push_back({"Authorization", value_});
    return value_;
  }
  void renew(const blob::Request& request, const blob::Answer& /*answer*/, const std::string& used,
             std::function<void(Result<void>)> done) override {
    if (used != (is_for(request.url) ? value_ : std::string())) return done({});
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = show_url(request.url);
    error.reason = "the server does not accept the user name and password";
    error.hint = "check the credentials in the URL";
    done(std::move(error));
  }

 private:
  [[nodiscard]] bool is_for(const std::string& url) const {
    const auto parsed = parse_url(url);
    return parsed && origin_ && parsed->same_origin(*origin_);
  }

  const Result<Url> origin_;
  const std::string value_;
};

}  // namespace

std::shared_ptr<blob::Authorizer> fixed_authorization(const std::string& url, std::string value) {
  return std::make_shared<FixedAuthorization>(parse_url(url), std::move(value));
}

std::string basic_authorization(const std::string& user, const std::string& password) {
  return "Basic " + base64_encode(user + ":" + password);
}

}  // namespace shunt::http
