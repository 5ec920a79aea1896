// Blobs behind URLs, read through the cache; used by every kind of Source that is fetched by HTTP.
#pragma once

#include <memory>
#include <string>

#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/cache/block_store.h"
#include "shunt/http/client.h"
#include "shunt/http_blob/http_blob.h"
#include "shunt/source/opened.h"
#include "shunt/source/session.h"

namespace shunt::source {

// Thread-safe; one per Session, which outlives it.
class Web {
 public:
  [[nodiscard]] static std::shared_ptr<Web> of(Session& session);
  explicit Web(Session& session) : session_(session) {}

  // Returns the client of the session; starts it on the first call.
  Result<std::shared_ptr<http::Client>> client();

  // `key` is the name of the cache entry; empty: not cached. `identity` is stored in the entry.
  Result<Opened> open(http_blob::HttpBlob blob, const std::string& key,
                      const std::string& identity);

 private:
  std::shared_ptr<cache::Cache> cache_for(const std::string& key);
  Result<Opened> adopt(http_blob::OpenedBlob opened, const http_blob::HttpBlob& blob,
                       const std::string& key, const std::string& identity);
  Result<Opened> leave_unsized(const http_blob::OpenedBlob& opened,
                               const http_blob::HttpBlob& blob);
  [[nodiscard]] Opened with_store(std::shared_ptr<cache::BlockStore> store,
                                  std::shared_ptr<blob::Origin> origin, blob::Info info,
                                  std::span<const std::byte> head = {}) const;

  Session& session_;
  Mutex mutex_;
  std::shared_ptr<http::Client> client_ SHUNT_GUARDED_BY(mutex_);
};

}  // namespace shunt::source
