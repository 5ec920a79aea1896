// From what people type to a Source: paths, URLs, image layers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "cache/cache.h"
#include "cache/cached_source.h"
#include "io/source.h"
#include "remote/http_client.h"
#include "remote/image.h"

namespace shunt::fetch {

// What kind of thing a name names. Pure text: nothing is opened.
enum class SourceKind { kPath, kStdin, kHttp, kImage };
[[nodiscard]] SourceKind kind_of(std::string_view name);

struct SessionOptions {
  std::string cache_dir;                               // empty: the default one
  std::uint64_t cache_size = std::uint64_t{10} << 30;  // budget of the cache
  bool use_cache = true;                               // false: leave nothing behind
  bool offline = false;
  unsigned jobs = 8;           // connections
  std::uint64_t max_rate = 0;  // bytes a second; 0: no limit
  std::vector<remote::Field> fields;
  bool plain_http = false;
  std::string authfile;
  std::optional<remote::Platform> platform;
  const CancelToken* cancel = nullptr;
};

// A Source, and what is known of it.
struct Opened {
  io::SourcePtr source;
  std::shared_ptr<const cache::CachedSource> cached;  // the same; null for what is local
  std::string name;                                   // for people
  std::string identity;      // the digest, or URL and validator; empty: none
  remote::Descriptor layer;  // of an image; otherwise empty
  remote::Traffic opening;   // what opening it has cost besides the blob's own traffic
  std::shared_ptr<remote::Origin> origin;         // null for what is local or offline
  [[nodiscard]] remote::Traffic traffic() const;  // all together
};

// Opens Sources that share one client and one cache. Both are started when they are first needed.
// Thread-safe.
class Session {
 public:
  explicit Session(SessionOptions options) : options_(std::move(options)) {}

  // `layer` is for images, and must be empty for anything else (kUsage); an image of one layer
  // needs none. A body of unknown size is spooled first.
  Result<Opened> open(const std::string& name, const std::string& layer);
  // Opens each layer of an image in turn.
  Result<std::vector<remote::Descriptor>> layers(const std::string& name);

  [[nodiscard]] const SessionOptions& options() const { return options_; }
  // The cache; null where it is not used or cannot be. `why_no_cache` tells why then.
  std::shared_ptr<cache::Cache> cache();
  [[nodiscard]] std::string why_no_cache() const;

 private:
  Result<std::shared_ptr<remote::HttpClient>> client();
  Result<std::shared_ptr<remote::Image>> image(const std::string& name);
  Result<Opened> open_http(remote::HttpBlob blob, const std::string& key);
  Result<Opened> open_layer(const std::string& name, const std::string& layer);

  SessionOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<remote::HttpClient> client_;
  std::shared_ptr<cache::Cache> cache_;
  bool cache_tried_ = false;
  std::string why_no_cache_;
};

}  // namespace shunt::fetch
