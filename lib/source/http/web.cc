#include "shunt/source/http/web.h"

#include <fmt/format.h>

#include <ctime>
#include <span>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/cache/cached_source.h"
#include "shunt/cache/memory_store.h"
#include "shunt/http/url.h"

namespace shunt::source {
namespace {

class HttpBody final : public Unsized {
 public:
  HttpBody(std::shared_ptr<http::Client> client, http_blob::HttpBlob blob, std::string name)
      : client_(std::move(client)), blob_(std::move(blob)), name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  End read(blob::Receiver& receiver, std::uint64_t most) const override {
    http_blob::UnsizedEnd end = http_blob::read_unsized(client_, blob_, receiver, most);
    return {std::move(end.outcome), end.traffic};
  }

 private:
  const std::shared_ptr<http::Client> client_;
  const http_blob::HttpBlob blob_;
  const std::string name_;
};

}  // namespace

std::shared_ptr<Web> Web::of(Session& session) {
  return session.kept<Web>([&] { return std::make_shared<Web>(session); });
}

Result<std::shared_ptr<http::Client>> Web::client() {
  const Lock lock(mutex_);
  if (client_ == nullptr) {
    http::ClientOptions options;
    options.connections = session_.options().jobs;
    options.max_rate = session_.options().max_rate;
    options.cancel = session_.options().cancel;
    SHUNT_ASSIGN(client_, http::Client::start(options));
  }
  return client_;
}

Opened Web::with_store(std::shared_ptr<cache::BlockStore> store,
                       std::shared_ptr<blob::Origin> origin, blob::Info info,
                       std::span<const std::byte> head) const {
  Opened opened;
  opened.name = info.name;
  opened.digest = info.digest;
  opened.origin = origin;
  cache::SourceOptions source_options;
  source_options.connections = session_.options().jobs;
  source_options.offline = session_.options().offline;
  source_options.cancel = session_.options().cancel;
  auto cached = std::make_shared<cache::CachedSource>(std::move(store), std::move(origin),
                                                      std::move(info), source_options);
  cached->take_head(head);
  opened.identity = cached->identity().value_or(std::string());
  opened.source = std::move(cached);
  return opened;
}

Result<Opened> Web::leave_unsized(const http_blob::OpenedBlob& opened,
                                  const http_blob::HttpBlob& blob) {
  SHUNT_ASSIGN(auto http, client());
  Opened result;
  result.opening = opened.traffic;
  result.name = blob.name.empty() ? http::show_url(blob.url) : blob.name;
  result.unsized = std::make_shared<HttpBody>(std::move(http), blob, result.name);
  return result;
}

std::shared_ptr<cache::Cache> Web::cache_for(const std::string& key) {
  return key.empty() ? nullptr : session_.cache();
}

Result<Opened> Web::open(http_blob::HttpBlob blob, const std::string& key,
                         const std::string& identity) {
  const std::string name = blob.name.empty() ? http::show_url(blob.url) : blob.name;
  const auto cache = cache_for(key);
  std::shared_ptr<cache::Entry> entry;
  if (cache != nullptr) {
    Result<std::shared_ptr<cache::Entry>> found = cache->find(key);
    if (found) entry = std::move(*found);
  }
  // The size in a manifest is compared with the cached entry too: one of them is wrong.
  const bool other_size = entry != nullptr && blob.size && *blob.size != entry->size();
  if (other_size && (session_.options().offline || entry->sealed())) {
    return corrupt(fmt::format("it has {} bytes instead of {}", entry->size(), *blob.size))
        .with_path(name)
        .with_hint("the size in its manifest is not that of the blob with this digest");
  }
  // The entry was not checked against its digest, and may have been created with a wrong size: ask
  // the server.
  if (other_size) entry = nullptr;
  if (session_.options().offline) {
    if (entry != nullptr) return with_store(entry, nullptr, entry->info());
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = name;
    error.reason = "not in the cache (offline)";
    return error;
  }

  SHUNT_ASSIGN(const auto http, client());
  if (entry != nullptr) {
    blob::Info info = entry->info();
    info.name = name;
    if (!info.digest.empty() || info.freshness.at(std::time(nullptr))) {
      return with_store(entry, http_blob::assume_blob(http, std::move(blob), info), info);
    }
    SHUNT_ASSIGN(http_blob::OpenedBlob opened, http_blob::open_blob(http, blob, info));
    if (opened.unchanged && !opened.origin->info().no_store) {
      (void)entry->set_freshness(opened.origin->info().freshness);
      return with_store(entry, opened.origin, opened.origin->info());
    }
    return adopt(std::move(opened), blob, key, identity);
  }
  if (!blob.digest.empty() && blob.size && !other_size) {
    // The manifest tells everything that a request would.
    http_blob::OpenedBlob known;
    blob::Info info;
    info.name = name;
    info.digest = blob.digest;
    info.size = *blob.size;
    known.origin = http_blob::assume_blob(http, blob, info);
    return adopt(std::move(known), blob, key, identity);
  }
  SHUNT_ASSIGN(http_blob::OpenedBlob opened, http_blob::open_blob(http, blob, std::nullopt));
  return adopt(std::move(opened), blob, key, identity);
}

// Sets up a blob that the cache does not have, or has in another version.
Result<Opened> Web::adopt(http_blob::OpenedBlob opened, const http_blob::HttpBlob& blob,
                          const std::string& key, const std::string& identity) {
  if (opened.unsized) return leave_unsized(opened, blob);
  const blob::Info info = opened.origin->info();
  std::shared_ptr<cache::BlockStore> store;
  const bool has_version = !info.digest.empty() || !info.validator.empty();
  const bool lasts = has_version && !info.no_store;
  if (!lasts) {
    log::info("{}: not cached: {}", info.name,
              has_version ? "the server forbids it" : "its version is unknown");
  }
  const auto cache = cache_for(key);
  // What was cached from an earlier answer is useless now.
  if (cache != nullptr && !lasts) (void)cache->remove(key);
  if (cache != nullptr && lasts) {
    Result<std::shared_ptr<cache::Entry>> entry = cache->find_or_create(key, identity, info);
    if (entry) {
      store = std::move(*entry);
    } else {
      log::warn("{}: not cached: {}", info.name, entry.error().describe());
    }
  }
  if (store == nullptr) store = std::make_shared<cache::MemoryStore>(info.size);
  return with_store(std::move(store), opened.origin, info, opened.head);
}

}  // namespace shunt::source
