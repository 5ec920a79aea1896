// What all requests for one blob share: where it is, who asks, whether it still is what it was, and
// what asking has cost.
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
  // kUsage for what is no URL.
  static Result<std::shared_ptr<BlobState>> create(HttpBlob blob);
  // The same, but what is wrong with the URL shows when it is asked.
  static std::shared_ptr<BlobState> assume(HttpBlob blob);

  [[nodiscard]] const HttpBlob& blob() const { return blob_; }
  [[nodiscard]] const std::string& name() const { return blob_.name; }
  [[nodiscard]] const http::Url& original() const { return original_; }

  // Where redirects have led, for as long as that works.
  [[nodiscard]] http::Url current() const;
  void keep_redirect(const http::Url& url);
  void forget_redirect(const http::Url& url);
  // What a redirect itself says of how long it holds counts for the copy too: it is kept under the
  // URL that redirects.
  void note_redirect(const http::Answer& answer);
  [[nodiscard]] std::optional<blob::Freshness> redirects_freshness()
      const;  // nullopt: there was none
  // Info::place of what an answer from `url` is of.
  [[nodiscard]] std::string place_of(const http::Url& url) const;

  // The fields of the user for a request to `url`; none for another origin than the blob's.
  [[nodiscard]] std::vector<http::Field> own_fields(const http::Url& url) const;
  // Signs the request, all else of which is final.
  struct Signature {
    std::string used;        // see blob::Authorizer::sign; of the user's own, the value
    bool renewable = false;  // false where it is the user's own, or there is no authorizer
  };
  [[nodiscard]] Signature sign(blob::Request& request) const;

  // Set once, before the Origin is handed out.
  void set_info(blob::Info info);
  [[nodiscard]] const blob::Info& info() const { return info_; }

  [[nodiscard]] bool serves_ranges() const { return serves_ranges_; }
  void note_no_ranges() { serves_ranges_ = false; }
  [[nodiscard]] bool has_changed() const { return has_changed_; }
  void note_change() { has_changed_ = true; }

  // For a blob without a validator: whether `answer` looks to be of the same version as the answers
  // before it. A weak ETag, or a date that is too young, is no proof that nothing has changed, but
  // one that differs shows that something has. What an answer does not say does not count.
  [[nodiscard]] bool same_version(const http::Answer& answer);
  // False: neither a digest nor anything that the server says tells versions apart. Then only what
  // comes in one answer is surely of one version, and every request is for all of the blob, from
  // its start; `seen_chunks` tells whether what came twice was the same.
  [[nodiscard]] bool versions_show() const { return versions_show_; }
  [[nodiscard]] SeenChunks& seen_chunks() { return seen_chunks_; }
  // `answer` is the first of its version.
  void begin_version(const http::Answer& answer);

  void count_request(bool retry);
  void count_data_request() { ++data_requests_; }
  void count_bytes(std::size_t bytes) { bytes_ += bytes; }
  [[nodiscard]] blob::Traffic traffic() const;

  void note_latency(double seconds);
  void note_rate(double bytes_a_second);
  [[nodiscard]] double latency() const { return latency_; }
  [[nodiscard]] double rate() const { return rate_; }

  // A kNetwork error about this blob.
  [[nodiscard]] Error error(std::string reason, ErrorCode code = ErrorCode::kNetwork) const;

 private:
  BlobState(HttpBlob blob, http::Url original)
      : blob_(std::move(blob)), original_(std::move(original)) {}

  const HttpBlob blob_;
  const http::Url original_;
  blob::Info info_;
  bool versions_show_ = true;  // set with info_
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
  // Written on the client's thread alone.
  std::atomic<double> latency_{0};
  std::atomic<double> rate_{0};
};

}  // namespace shunt::http_blob
