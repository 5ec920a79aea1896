// From what people type to a Source: paths, URLs, image layers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "cache/cache.h"
#include "cache/cached_source.h"
#include "io/source.h"
#include "remote/http_client.h"
#include "remote/http_origin.h"
#include "remote/image.h"

namespace shunt::fetch {

struct Unsized;

// What kind of thing a name names. Pure text: nothing is opened. A file whose name looks like a URL
// is named with a folder in front, as in "./ftp://x".
enum class SourceKind { kPath, kStdin, kHttp, kImage, kOtherUrl };
[[nodiscard]] SourceKind kind_of(std::string_view name);
// kUsage for a URL of a kind that nobody reads, and for no name at all.
Result<void> check_kind(std::string_view name);
// kUsage for a layer of what is no image.
Result<void> check_layer(std::string_view name, std::string_view layer);
// The error of a file of this name, with a hint what may have been meant where there is none.
[[nodiscard]] Error guess_name(const Error& error, std::string_view name);
// The name as it may be shown: without passwords and tokens.
[[nodiscard]] std::string shown_name(std::string_view name);

inline constexpr std::uint64_t kDefaultCacheSize = std::uint64_t{10} << 30;

struct SessionOptions {
  std::string cache_dir;                         // empty: the default one
  std::uint64_t cache_size = kDefaultCacheSize;  // budget of the cache; 0: none
  bool use_cache = true;                         // false: leave nothing behind
  bool offline = false;                          // no request is made
  unsigned jobs = 8;                             // connections, over all Sources
  std::uint64_t max_rate = 0;                    // bytes a second over all; 0: no limit
  std::vector<remote::Field> fields;             // sent along, to the host of the Source only
  bool plain_http = false;
  std::string authfile;
  std::optional<remote::Platform> platform;  // nullopt: this machine's
  const CancelToken* cancel = nullptr;
};

// A Source, and what is known of it. A value; shares ownership.
struct Opened {
  io::SourcePtr source;                    // null for what is not sized
  std::shared_ptr<const Unsized> unsized;  // a body whose size nobody tells; null for others
  std::shared_ptr<const cache::CachedSource> cached;  // `source` again; null for what is local
  std::shared_ptr<const remote::Origin> origin;       // null for what is local, and offline
  std::string name;                                   // for people
  std::string identity;      // the digest, or URL and validator; empty: none
  std::string digest;        // that the whole has to have; empty: none is known
  remote::Traffic opening;   // what opening has cost, besides the origin's own traffic
  remote::Descriptor layer;  // of an image; otherwise empty

  [[nodiscard]] remote::Traffic traffic() const;  // all together, up to now
};

// What becomes of a body of unknown size: all of it is read first, within a bound (unsized.h), or
// the caller reads it.
enum class IfUnsized { kSpool, kLeave };

// Opens Sources that share one client and one cache. Both are started when they are first needed.
// Thread-safe. It outlives what it has opened.
class Session {
 public:
  explicit Session(SessionOptions options) : options_(std::move(options)) {}

  // `layer` is for images ("0", "1", …, or a digest; empty where there is but one), and must be
  // empty for anything else (kUsage). Standard input is spooled first.
  Result<Opened> open(const std::string& name, const std::string& layer = {},
                      IfUnsized if_unsized = IfUnsized::kSpool);
  // The layers of an image, as its manifest lists them.
  Result<std::vector<remote::Descriptor>> layers(const std::string& name);

  [[nodiscard]] const SessionOptions& options() const { return options_; }
  // The cache; null where it is not wanted or cannot be used, which is logged once.
  std::shared_ptr<cache::Cache> cache();

 private:
  Result<std::shared_ptr<remote::HttpClient>> client();
  struct KnownImage {
    std::shared_ptr<remote::Image> image;
    remote::Traffic checking;  // what it has cost to see whether it is for the platform
  };
  Result<KnownImage> image(const std::string& name);
  Result<remote::Traffic> check_platform(const remote::Image& image);
  Result<Opened> open_config(const remote::Image& image);
  Result<Opened> open_url(const std::string& url);
  Result<Opened> open_layer(const std::string& name, const std::string& layer);
  // Null for a blob without a key.
  std::shared_ptr<cache::Cache> cache_for(const std::string& key);
  Result<Opened> open_blob(remote::HttpBlob blob, const std::string& key,
                           const std::string& identity);
  Result<Opened> adopt(remote::OpenedBlob opened, const remote::HttpBlob& blob,
                       const std::string& key, const std::string& identity);
  Result<Opened> open_any(const std::string& name, const std::string& layer);
  Result<Opened> leave_unsized(const remote::OpenedBlob& opened, const remote::HttpBlob& blob);
  [[nodiscard]] Opened with_store(std::shared_ptr<cache::BlockStore> store,
                                  std::shared_ptr<remote::Origin> origin,
                                  remote::BlobInfo info) const;

  SessionOptions options_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<remote::HttpClient> client_;
  std::shared_ptr<cache::Cache> cache_;
  bool cache_tried_ = false;
  std::map<std::string, KnownImage> images_;
};

}  // namespace shunt::fetch
