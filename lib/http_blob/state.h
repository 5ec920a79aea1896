// What all requests for one blob share: its URL, credentials, whether it has changed, and the
// traffic.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/http/url.h"
#include "shunt/http_blob/http_blob.h"
#include "shunt/http_blob/prefix_check.h"

namespace shunt::http_blob {

// Thread-safe.
class BlobState {
 public:
  // Returns kUsage if the URL is invalid.
  static Result<std::shared_ptr<BlobState>> create(HttpBlob blob);
  // Same, but an invalid URL shows at the first request.
  static std::shared_ptr<BlobState> assume(HttpBlob blob);

  [[nodiscard]] const HttpBlob& blob() const { return blob_; }
  [[nodiscard]] const std::string& name() const { return blob_.name; }
  [[nodiscard]] const http::Url& original() const { return original_; }

  // The URL after redirects, as long as that works.
  [[nodiscard]] http::Url current() const;
  void keep_redirect(const http::Url& url);
  void forget_redirect(const http::Url& url);
  // A redirect's own freshness limits the freshness of the copy, which is cached under the URL that
  // redirects.
  void note_redirect(const http::Answer& answer);
  [[nodiscard]] std::optional<blob::Freshness> redirects_freshness()
      const;  // nullopt: there was none
  // Returns Info::place for an answer from `url`.
  [[nodiscard]] std::string place_of(const http::Url& url) const;

  // Returns the user's fields for a request to `url`; none if its origin is not that of the blob.
  [[nodiscard]] std::vector<http::Field> own_fields(const http::Url& url) const;
  // Signs the request, which is otherwise final.
  struct Signature {
    std::string used;  // see blob::Authorizer::sign; for the user's own Authorization, its value
    bool renewable = false;  // false for the user's own, or without an authorizer
  };
  [[nodiscard]] Signature sign(blob::Request& request) const;

  // Called once, before the Origin is handed out.
  void set_info(blob::Info info);
  [[nodiscard]] const blob::Info& info() const { return info_; }

  [[nodiscard]] bool serves_ranges() const { return serves_ranges_; }
  void note_no_ranges() { serves_ranges_ = false; }
  [[nodiscard]] bool has_changed() const { return has_changed_; }
  void note_change() { has_changed_ = true; }

  // For a blob without a validator: returns true if `answer` seems to be of the same version as
  // earlier answers. An equal weak ETag or recent date proves nothing, but a different one shows a
  // change. A missing field shows nothing.
  [[nodiscard]] bool same_version(const http::Answer& answer);
  // False if neither a digest nor anything from the server tells versions apart. Then only bytes of
  // one answer are sure to be of one version; every request asks for the whole blob, and
  // seen_chunks() checks that what comes twice is the same.
  [[nodiscard]] bool versions_show() const { return versions_show_; }
  [[nodiscard]] SeenChunks& seen_chunks() { return seen_chunks_; }
  // `answer` is the first one of its version.
  void begin_version(const http::Answer& answer);

  void count_request(bool retry);
  void count_data_request() { ++data_requests_; }
  void count_bytes(std::size_t bytes) { bytes_ += bytes; }
  [[nodiscard]] blob::Traffic traffic() const;

  void note_latency(double seconds);
  void note_rate(double bytes_a_second);
  [[nodiscard]] double latency() const { return latency_; }
  [[nodiscard]] double rate() const { return rate_; }

  // Returns an error about this blob, kNetwork by default.
  [[nodiscard]] Error error(std::string reason, ErrorCode code = ErrorCode::kNetwork) const;

 private:
  BlobState(HttpBlob blob, http::Url original)
      : blob_(std::move(blob)), original_(std::move(original)) {}

  const HttpBlob blob_;
  const http::Url original_;
  blob::Info info_;
  bool versions_show_ = true;  // set together with info_
  SeenChunks seen_chunks_;

  mutable Mutex mutex_;
  std::optional<http::Url> redirect_ SHUNT_GUARDED_BY(mutex_);
  std::optional<blob::Freshness> redirects_freshness_
      SHUNT_GUARDED_BY(mutex_);  // of all that were met, the shortest
  std::optional<std::string> etag_
      SHUNT_GUARDED_BY(mutex_);  // of the first answer that had one, as it came
  std::optional<std::string> last_modified_ SHUNT_GUARDED_BY(mutex_);

  std::atomic<bool> serves_ranges_{true};
  std::atomic<bool> has_changed_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> data_requests_{0};
  std::atomic<std::uint64_t> retries_{0};
  std::atomic<std::uint64_t> bytes_{0};
  // Written by the client's thread only.
  std::atomic<double> latency_{0};
  std::atomic<double> rate_{0};
};

}  // namespace shunt::http_blob
