#include "shunt/http_blob/state.h"

#include <algorithm>
#include <utility>

#include "shunt/http/basic_authorization.h"
#include "shunt/http_blob/validator.h"
#include "shunt/io/sha256.h"
#include "shunt/text/ascii.h"

namespace shunt::http_blob {

namespace {

// Weight of the latest measurement.
constexpr double kWeight = 0.3;

double averaged(double before, double now) {
  return before == 0 ? now : before + kWeight * (now - before);
}

// Records the first value; returns true if `value` is missing or equal to it.
bool matches_first(std::optional<std::string>& first, const std::optional<std::string>& value) {
  if (!value) return true;
  if (!first) first = *value;
  return *first == *value;
}

bool is_field(const http::Field& field, std::string_view name) {
  return ascii::equal_ignoring_case(field.name, name);
}

// Returns true for fields that shunt sets itself. A server that compresses ignores ranges.
bool is_ours(const http::Field& field) {
  for (const std::string_view name :
       {"Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match",
        "If-Unmodified-Since", "Accept-Encoding", "Content-Length", "Transfer-Encoding"}) {
    if (is_field(field, name)) return true;
  }
  return false;
}

}  // namespace

Result<std::shared_ptr<BlobState>> BlobState::create(HttpBlob blob) {
  SHUNT_TRY(http::parse_url(blob.url));
  return assume(std::move(blob));
}

std::shared_ptr<BlobState> BlobState::assume(HttpBlob blob) {
  http::Url original;
  if (auto parsed = http::parse_url(blob.url)) {
    original = std::move(*parsed);
  } else {
    original.text = blob.url;
  }
  if (blob.name.empty()) blob.name = http::show_url(blob.url);
  if (!blob.authorizer && !(original.user.empty() && original.password.empty())) {
    blob.authorizer = http::fixed_authorization(
        original.text, http::basic_authorization(original.user, original.password));
  }
  std::erase_if(blob.fields, is_ours);
  blob.retry.attempts = std::max(1u, blob.retry.attempts);
  return std::shared_ptr<BlobState>(new BlobState(std::move(blob), std::move(original)));
}

void BlobState::set_info(blob::Info info) {
  info_ = std::move(info);
  const Lock lock(mutex_);
  versions_show_ = !info_.digest.empty() || !info_.validator.empty() || etag_ || last_modified_;
  if (!versions_show_) note_no_ranges();
}

http::Url BlobState::current() const {
  const Lock lock(mutex_);
  return redirect_ ? *redirect_ : original_;
}

void BlobState::keep_redirect(const http::Url& url) {
  const Lock lock(mutex_);
  redirect_ = url;
}

void BlobState::forget_redirect(const http::Url& url) {
  const Lock lock(mutex_);
  // Another download may have found a better redirect in the meantime.
  if (redirect_ && redirect_->text == url.text) redirect_.reset();
}

void BlobState::note_redirect(const http::Answer& answer) {
  const blob::Freshness fresh = freshness_of(answer);
  const Lock lock(mutex_);
  redirects_freshness_ = redirects_freshness_ ? redirects_freshness_->and_also(fresh) : fresh;
}

std::optional<blob::Freshness> BlobState::redirects_freshness() const {
  const Lock lock(mutex_);
  return redirects_freshness_;
}

std::string BlobState::place_of(const http::Url& url) const {
  if (!blob_.digest.empty() || url.text == original_.text) return {};
  return io::sha256_hex(http::object_path(url));
}

std::vector<http::Field> BlobState::own_fields(const http::Url& url) const {
  return url.same_origin(original_) ? blob_.fields : std::vector<http::Field>();
}

BlobState::Signature BlobState::sign(blob::Request& request) const {
  if (const std::string* const own = blob::find_field(request.fields, "Authorization")) {
    return {*own, false};
  }
  if (!blob_.authorizer) return {};
  return {blob_.authorizer->sign(request), true};
}

bool BlobState::same_version(const http::Answer& answer) {
  const Lock lock(mutex_);
  return matches_first(etag_, etag_of(answer)) &&
         matches_first(last_modified_, last_modified_of(answer));
}

void BlobState::begin_version(const http::Answer& answer) {
  {
    const Lock lock(mutex_);
    etag_.reset();
    last_modified_.reset();
  }
  static_cast<void>(same_version(answer));
}

void BlobState::count_request(bool retry) {
  ++requests_;
  if (retry) ++retries_;
}

blob::Traffic BlobState::traffic() const {
  blob::Traffic traffic;
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

std::string asker_of(const HttpBlob& blob) {
  std::string authorization;
  if (const auto url = http::parse_url(blob.url);
      url && !(url->user.empty() && url->password.empty())) {
    authorization = http::basic_authorization(url->user, url->password);
  }
  // Sorted, since the order of fields does not matter.
  std::vector<std::string> lines;
  for (const http::Field& field : blob.fields) {
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

}  // namespace shunt::http_blob
