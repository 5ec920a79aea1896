// Blobs behind URLs, read through the cache; for each kind of Source whose bytes come by HTTP.
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

// Thread-safe; one for each Session, which outlives it.
class Web {
 public:
  [[nodiscard]] static std::shared_ptr<Web> of(Session& session);
  explicit Web(Session& session) : session_(session) {}

  // The one client of the session, started when it is first needed.
  Result<std::shared_ptr<http::Client>> client();

  // `key` names the entry of the cache, empty: it is not cached; `identity` is written down in it.
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
