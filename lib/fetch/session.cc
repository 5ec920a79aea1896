#include "fetch/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "base/ascii.h"
#include "base/log.h"
#include "cache/memory_store.h"
#include "io/spool.h"
#include "remote/http_origin.h"
#include "remote/url.h"

namespace shunt::fetch {
namespace {

// A body whose size shows only at its end.
class SpoolReceiver final : public remote::Receiver {
 public:
  Result<void> receive(std::uint64_t /*offset*/, std::span<const std::byte> bytes) override {
    return spool_.append(bytes);
  }
  void finished(Result<void> /*outcome*/) override {}
  [[nodiscard]] io::Spool& spool() { return spool_; }

 private:
  io::Spool spool_;
};

Result<io::SourcePtr> spool_stdin(const CancelToken* cancel) {
  io::File in = io::File::adopt(io::Fd(::dup(STDIN_FILENO)), "-");
  in.set_cancel(cancel);
  io::Spool spool;
  std::vector<std::byte> buffer(std::size_t{256} << 10);
  while (true) {
    if (cancel != nullptr) SHUNT_TRY(cancel->check());
    SHUNT_ASSIGN(const std::size_t got, in.read_some(buffer));
    if (got == 0) {
      // Who asks us to stop often ends what we read from, too.
      if (cancel != nullptr) SHUNT_TRY(cancel->check());
      return spool.finish("-");
    }
    SHUNT_TRY(spool.append(std::span(buffer).first(got)));
  }
}

remote::Traffic operator+(remote::Traffic a, const remote::Traffic& b) {
  a.requests += b.requests;
  a.data_requests += b.data_requests;
  a.retries += b.retries;
  a.bytes += b.bytes;
  return a;
}

}  // namespace

SourceKind kind_of(std::string_view name) {
  if (name == "-") return SourceKind::kStdin;
  const std::string scheme = ascii::lower(name.substr(0, name.find(':')));
  if ((scheme == "http" || scheme == "https") && name.substr(scheme.size()).starts_with("://")) {
    return SourceKind::kHttp;
  }
  if (name.starts_with("docker://") || name.starts_with("oci:")) return SourceKind::kImage;
  // RFC 3986, 3.1
  const bool has_scheme =
      !scheme.empty() && name.substr(scheme.size()).starts_with("://") && scheme.front() >= 'a' &&
      scheme.front() <= 'z' &&
      scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
  return has_scheme ? SourceKind::kOtherUrl : SourceKind::kPath;
}

std::string shown_name(std::string_view name) {
  switch (kind_of(name)) {
    case SourceKind::kHttp:
    case SourceKind::kOtherUrl:
      return remote::show_url(name);
    case SourceKind::kImage:
      return remote::show_image_reference(name);
    case SourceKind::kPath:
    case SourceKind::kStdin:
      break;
  }
  return std::string(name);
}

remote::Traffic Opened::traffic() const {
  return origin == nullptr ? opening : opening + origin->traffic();
}

std::shared_ptr<cache::Cache> Session::cache() {
  const std::lock_guard lock(mutex_);
  if (cache_tried_ || !options_.use_cache) return cache_;
  cache_tried_ = true;
  Result<std::string> directory = options_.cache_dir;
  if (directory->empty()) directory = cache::default_directory();
  Result<std::shared_ptr<cache::Cache>> opened =
      directory ? cache::Cache::open(*directory, options_.cache_size)
                : Result<std::shared_ptr<cache::Cache>>(directory.error());
  if (opened) {
    cache_ = std::move(*opened);
  } else {
    log::warn("going on without a cache: {}", opened.error().describe());
  }
  return cache_;
}

Result<std::shared_ptr<remote::HttpClient>> Session::client() {
  const std::lock_guard lock(mutex_);
  if (client_ == nullptr) {
    remote::ClientOptions options;
    options.connections = options_.jobs;
    options.max_rate = options_.max_rate;
    options.cancel = options_.cancel;
    SHUNT_ASSIGN(client_, remote::HttpClient::start(options));
  }
  return client_;
}

Result<Opened> Session::open(const std::string& name, const std::string& layer) {
  const SourceKind kind = kind_of(name);
  if (kind == SourceKind::kImage) return open_layer(name, layer);
  if (!layer.empty()) return usage("only images have layers").with_path(name);
  if (kind == SourceKind::kHttp) return open_url(name);
  if (kind == SourceKind::kOtherUrl) {
    return usage("not a kind of URL that can be read: http, https, docker")
        .with_path(shown_name(name));
  }
  Opened opened;
  opened.name = name;
  if (kind == SourceKind::kStdin) {
    SHUNT_ASSIGN(opened.source, spool_stdin(options_.cancel));
  } else {
    SHUNT_ASSIGN(opened.source, io::FileSource::open(name));
  }
  return opened;
}

// ---- blobs on servers ---------------------------------------------------------------------------

Opened Session::with_store(std::shared_ptr<cache::BlockStore> store,
                           std::shared_ptr<remote::Origin> origin, remote::BlobInfo info) const {
  Opened opened;
  opened.name = info.name;
  opened.digest = info.digest;
  opened.identity = info.digest;
  opened.origin = origin;
  cache::SourceOptions options;
  options.connections = options_.jobs;
  options.offline = options_.offline;
  options.cancel = options_.cancel;
  auto cached = std::make_shared<cache::CachedSource>(std::move(store), std::move(origin),
                                                      std::move(info), options);
  opened.cached = cached;
  opened.source = std::move(cached);
  return opened;
}

Result<Opened> Session::open_url(const std::string& url) {
  SHUNT_ASSIGN(const remote::Url parsed, remote::parse_url(url));
  remote::HttpBlob blob;
  blob.url = url;
  blob.fields = options_.fields;
  // The key is made of all of the URL; what is written down of it shows no secrets.
  SHUNT_ASSIGN(Opened opened,
               open_blob(std::move(blob), cache::key_of_url(parsed.text), remote::show_url(url)));
  opened.identity = remote::show_url(url);
  if (opened.cached != nullptr && !opened.cached->info().validator.empty()) {
    opened.identity += ' ' + opened.cached->info().validator;
  }
  return opened;
}

Result<Opened> Session::spool_unsized(const remote::HttpBlob& blob) {
  SHUNT_ASSIGN(const auto http, client());
  SpoolReceiver receiver;
  Opened opened;
  SHUNT_ASSIGN(opened.opening, remote::read_unsized(http, blob, receiver));
  opened.name = blob.name.empty() ? remote::show_url(blob.url) : blob.name;
  SHUNT_ASSIGN(opened.source, receiver.spool().finish(opened.name));
  return opened;
}

Result<Opened> Session::open_blob(remote::HttpBlob blob, const std::string& key,
                                  const std::string& identity) {
  const std::string name = blob.name.empty() ? remote::show_url(blob.url) : blob.name;
  const auto cache = this->cache();
  std::shared_ptr<cache::Entry> entry;
  if (cache != nullptr) {
    Result<std::shared_ptr<cache::Entry>> found = cache->find(key);
    if (found) entry = std::move(*found);
  }
  if (options_.offline) {
    if (entry != nullptr) return with_store(entry, nullptr, entry->info());
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = name;
    error.reason = "not in the cache, and this is offline";
    return error;
  }

  SHUNT_ASSIGN(const auto http, client());
  if (entry != nullptr) {
    remote::BlobInfo info = entry->info();
    info.name = name;
    // What others may see, or is sent for other fields, is for the server to say.
    const Result<remote::Url> url = remote::parse_url(blob.url);
    const bool personal = !blob.fields.empty() || (url && !url->user.empty());
    if (!info.digest.empty() || (!personal && info.fresh_until > std::time(nullptr))) {
      return with_store(entry, remote::assume_blob(http, std::move(blob), info), info);
    }
    SHUNT_ASSIGN(remote::OpenedBlob opened, remote::open_blob(http, blob, info));
    if (opened.unchanged && !opened.origin->info().no_store) {
      (void)entry->set_fresh_until(opened.origin->info().fresh_until);
      return with_store(entry, opened.origin, opened.origin->info());
    }
    return adopt(std::move(opened), blob, key, identity);
  }
  if (!blob.digest.empty() && blob.size) {
    // All that asking could tell is known from the manifest.
    remote::OpenedBlob known;
    remote::BlobInfo info;
    info.name = name;
    info.digest = blob.digest;
    info.size = *blob.size;
    known.origin = remote::assume_blob(http, blob, info);
    return adopt(std::move(known), blob, key, identity);
  }
  SHUNT_ASSIGN(remote::OpenedBlob opened, remote::open_blob(http, blob, std::nullopt));
  return adopt(std::move(opened), blob, key, identity);
}

// A blob that the cache has nothing of, or something else.
Result<Opened> Session::adopt(remote::OpenedBlob opened, const remote::HttpBlob& blob,
                              const std::string& key, const std::string& identity) {
  if (opened.unsized) return spool_unsized(blob);
  const remote::BlobInfo info = opened.origin->info();
  std::shared_ptr<cache::BlockStore> store;
  const bool has_version = !info.digest.empty() || !info.validator.empty();
  const bool lasts = has_version && !info.no_store;
  if (!lasts) {
    log::info("{}: not cached: {}", info.name,
              has_version ? "the server forbids it" : "nothing tells its version");
  }
  const auto cache = this->cache();
  // What an earlier answer has let us keep is of no use any more.
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
  Opened result = with_store(std::move(store), opened.origin, info);
  result.cached->take_head(opened.head);
  return result;
}

// ---- images -------------------------------------------------------------------------------------

Result<std::shared_ptr<remote::Image>> Session::image(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = images_.find(name); known != images_.end()) return known->second;
  }
  SHUNT_ASSIGN(const remote::ImageReference reference, remote::parse_image_reference(name));
  remote::ImageOptions options;
  if (options_.platform) options.platform = *options_.platform;
  options.plain_http = options_.plain_http;
  options.authfile = options_.authfile;
  options.fields = options_.fields;
  options.offline = options_.offline;
  const auto documents = cache();
  options.documents = documents.get();
  std::shared_ptr<remote::HttpClient> http;
  if (reference.kind == remote::ImageReference::Kind::kRegistry && !options_.offline) {
    SHUNT_ASSIGN(http, client());
  }
  SHUNT_ASSIGN(std::shared_ptr<remote::Image> image, remote::open_image(http, reference, options));
  const std::lock_guard lock(mutex_);
  return images_.try_emplace(name, std::move(image)).first->second;
}

Result<std::vector<remote::Descriptor>> Session::layers(const std::string& name) {
  SHUNT_ASSIGN(const auto opened, image(name));
  return opened->manifest().layers;
}

Result<Opened> Session::open_layer(const std::string& name, const std::string& layer) {
  SHUNT_ASSIGN(const auto opened, image(name));
  const std::vector<remote::Descriptor>& layers = opened->manifest().layers;
  if (layer.empty() && layers.size() != 1) {
    return usage(fmt::format("the image has {} layers", layers.size()))
        .with_path(name)
        .with_hint("choose one with --layer, by its number from 0 or by its digest");
  }
  SHUNT_ASSIGN(const remote::Descriptor chosen,
               remote::find_layer(opened->manifest(), layer.empty() ? "0" : layer));
  Opened result;
  if (opened->reference().kind == remote::ImageReference::Kind::kLayout) {
    SHUNT_ASSIGN(result.source, opened->local_blob(chosen));
    result.name = opened->blob_name(chosen);
    result.identity = result.digest = chosen.digest;
  } else {
    SHUNT_ASSIGN(remote::HttpBlob blob, opened->http_blob(chosen));
    SHUNT_ASSIGN(result,
                 open_blob(std::move(blob), cache::key_of_digest(chosen.digest), chosen.digest));
  }
  result.layer = chosen;
  result.opening = result.opening + opened->traffic();
  return result;
}

}  // namespace shunt::fetch
