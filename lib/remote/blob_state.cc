#include "remote/blob_state.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "io/sha256.h"
#include "remote/base64.h"
#include "remote/validator.h"

namespace shunt::remote {

namespace {

// How much the latest measurement counts among the recent ones.
constexpr double kWeight = 0.3;

double averaged(double before, double now) {
  return before == 0 ? now : before + kWeight * (now - before);
}

std::string basic_credentials(const Url& url) {
  return "Basic " + base64_encode(url.user + ":" + url.password);
}

// Notes the first value; whether `value`, where there is one, is the same.
bool matches_first(std::optional<std::string>& first, const std::optional<std::string>& value) {
  if (!value) return true;
  if (!first) first = *value;
  return *first == *value;
}

bool is_field(const Field& field, std::string_view name) {
  return ascii::equal_ignoring_case(field.name, name);
}

// Fields that shunt sets by itself. A server that compresses ignores ranges.
bool is_ours(const Field& field) {
  for (const std::string_view name :
       {"Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match",
        "If-Unmodified-Since", "Accept-Encoding", "Content-Length", "Transfer-Encoding"}) {
    if (is_field(field, name)) return true;
  }
  return false;
}

}  // namespace

Result<std::shared_ptr<BlobState>> BlobState::create(HttpBlob blob) {
  SHUNT_TRY(parse_url(blob.url));
  return assume(std::move(blob));
}

std::shared_ptr<BlobState> BlobState::assume(HttpBlob blob) {
  Url original;
  if (auto parsed = parse_url(blob.url)) {
    original = std::move(*parsed);
  } else {
    original.text = blob.url;
  }
  if (blob.name.empty()) blob.name = show_url(blob.url);
  if (!blob.authorizer && !(original.user.empty() && original.password.empty())) {
    blob.authorizer = fixed_authorization(original.text, basic_credentials(original));
  }
  std::erase_if(blob.fields, is_ours);
  blob.retry.attempts = std::max(1u, blob.retry.attempts);
  return std::shared_ptr<BlobState>(new BlobState(std::move(blob), std::move(original)));
}

void BlobState::set_info(BlobInfo info) {
  info_ = std::move(info);
  const std::lock_guard lock(mutex_);
  versions_show_ = !info_.digest.empty() || !info_.validator.empty() || etag_ || last_modified_;
  if (!versions_show_) note_no_ranges();
}

Url BlobState::current() const {
  const std::lock_guard lock(mutex_);
  return redirect_ ? *redirect_ : original_;
}

void BlobState::keep_redirect(const Url& url) {
  const std::lock_guard lock(mutex_);
  redirect_ = url;
}

void BlobState::forget_redirect(const Url& url) {
  const std::lock_guard lock(mutex_);
  // Another download may have found a better one already.
  if (redirect_ && redirect_->text == url.text) redirect_.reset();
}

void BlobState::note_redirect(const Answer& answer) {
  const Freshness fresh = freshness_of(answer);
  const std::lock_guard lock(mutex_);
  redirects_freshness_ = redirects_freshness_ ? redirects_freshness_->and_also(fresh) : fresh;
}

std::optional<Freshness> BlobState::redirects_freshness() const {
  const std::lock_guard lock(mutex_);
  return redirects_freshness_;
}

std::string BlobState::place_of(const Url& url) const {
  if (!blob_.digest.empty() || url.text == original_.text) return {};
  return io::sha256_hex(object_path(url));
}

BlobState::Identity BlobState::identity_for(const Url& url) const {
  Identity identity;
  if (url.same_origin(original_)) {
    identity.fields = blob_.fields;
    for (const Field& field : identity.fields) {
      if (!is_field(field, "Authorization")) continue;
      identity.authorization = field.value;
      return identity;
    }
  }
  if (!blob_.authorizer) return identity;
  identity.renewable = true;
  identity.authorization = blob_.authorizer->authorization(url.text);
  if (!identity.authorization.empty()) {
    identity.fields.push_back({"Authorization", identity.authorization});
  }
  return identity;
}

bool BlobState::same_version(const Answer& answer) {
  const std::lock_guard lock(mutex_);
  return matches_first(etag_, etag_of(answer)) &&
         matches_first(last_modified_, last_modified_of(answer));
}

void BlobState::begin_version(const Answer& answer) {
  {
    const std::lock_guard lock(mutex_);
    etag_.reset();
    last_modified_.reset();
  }
  static_cast<void>(same_version(answer));
}

void BlobState::count_request(bool retry) {
  ++requests_;
  if (retry) ++retries_;
}

Traffic BlobState::traffic() const {
  Traffic traffic;
  traffic.requests = requests_;
  traffic.data_requests = data_requests_;
  traffic.retries = retries_;
  traffic.bytes = bytes_;
  return traffic;
}

void BlobState::note_latency(double seconds) {
  latency_ = averaged(latency_, seconds);
}
void BlobState::note_rate(double bytes_a_second) {
  rate_ = averaged(rate_, bytes_a_second);
}

Error BlobState::error(std::string reason, ErrorCode code) const {
  Error error;
  error.code = code;
  error.path = blob_.name;
  error.reason = std::move(reason);
  return error;
}

namespace {

class FixedAuthorization final : public Authorizer {
 public:
  FixedAuthorization(Result<Url> origin, std::string value)
      : origin_(std::move(origin)), value_(std::move(value)) {}

  std::string authorization(const std::string& url) override {
    const auto parsed = parse_url(url);
    return parsed && origin_ && parsed->same_origin(*origin_) ? value_ : std::string();
  }
  void renew(const std::string& url, const Answer& /*answer*/, const std::string& used,
             std::function<void(Result<void>)> done) override {
    if (authorization(url) != used) return done({});
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = show_url(url);
    error.reason = "the server does not accept the user name and password";
    error.hint = "check the credentials in the URL";
    done(std::move(error));
  }

 private:
  const Result<Url> origin_;
  const std::string value_;
};

}  // namespace

std::string asker_of(const HttpBlob& blob) {
  std::string authorization;
  if (const auto url = parse_url(blob.url); url && !(url->user.empty() && url->password.empty())) {
    authorization = basic_credentials(*url);
  }
  // In no order, as a server takes them.
  std::vector<std::string> lines;
  for (const Field& field : blob.fields) {
    if (is_ours(field)) continue;
    if (is_field(field, "Authorization")) {
      authorization = ascii::trimmed(field.value);
    } else {
      lines.push_back(ascii::lower(field.name) + ": " + std::string(ascii::trimmed(field.value)));
    }
  }
  if (!authorization.empty()) lines.push_back("authorization: " + authorization);
  std::ranges::stable_sort(lines);
  std::string asker;
  for (const std::string& line : lines) asker += line + '\n';
  return asker;
}

std::shared_ptr<Authorizer> fixed_authorization(const std::string& url, std::string value) {
  return std::make_shared<FixedAuthorization>(parse_url(url), std::move(value));
}

}  // namespace shunt::remote
