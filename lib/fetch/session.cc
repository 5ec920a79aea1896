#include "fetch/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <span>

#include "base/ascii.h"
#include "base/log.h"
#include "cache/memory_store.h"
#include "fetch/unsized.h"
#include "io/duplicate.h"
#include "io/spool.h"
#include "remote/http_origin.h"
#include "remote/url.h"

namespace shunt::fetch {
namespace {

Result<io::SourcePtr> spool_stdin(const CancelToken* cancel) {
  SHUNT_ASSIGN(io::File in, io::duplicate(STDIN_FILENO, "-", "read"));
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

Result<void> check_kind(std::string_view name) {
  if (name.empty()) return usage("the name is empty");
  if (kind_of(name) != SourceKind::kOtherUrl) return {};
  return usage("not a kind of URL that can be read: http, https, docker")
      .with_path(shown_name(name));
}

Error guess_name(const Error& error, std::string_view name) {
  if (error.system_errno != ENOENT && error.system_errno != ENOTDIR) return error;
  const auto meant = [&](std::string_view scheme, std::string_view rest) {
    return error.with_hint(fmt::format("did you mean {}{}?", scheme, rest));
  };
  for (const std::string_view scheme : {"docker://", "https://", "http://"}) {
    const std::string_view begin = scheme.substr(0, scheme.size() - 2);
    if (!ascii::lower(name).starts_with(begin)) continue;
    std::string_view rest = name.substr(begin.size());
    while (rest.starts_with('/')) rest.remove_prefix(1);
    return meant(scheme, rest);
  }
  const std::string_view host = name.substr(0, name.find('/'));
  if (host.empty() || host.size() == name.size()) return error;
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    const bool number = !port.empty() && std::ranges::all_of(port, ascii::is_digit);
    return number ? meant("http://", name) : error;
  }
  // A first folder like example.org that is not there.
  const std::size_t dot = host.find_last_of('.');
  const bool is_folder = ::access(std::string(host).c_str(), F_OK) == 0;
  const bool like_host = dot != std::string_view::npos && dot > 0 && dot + 1 < host.size() &&
                         host.find("..") == std::string_view::npos;
  return like_host && !is_folder ? meant("https://", name) : error;
}

Result<void> check_layer(std::string_view name, std::string_view layer) {
  if (layer.empty() || kind_of(name) == SourceKind::kImage) return {};
  return usage("only images have layers").with_path(shown_name(name));
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
      directory ? cache::Cache::open(*directory, options_.cache_size, options_.cancel)
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

Result<Opened> Session::open(const std::string& name, const std::string& layer,
                             IfUnsized if_unsized) {
  SHUNT_ASSIGN(Opened opened, open_any(name, layer));
  if (opened.unsized == nullptr || if_unsized == IfUnsized::kLeave) return opened;
  const UnsizedRead read = spool_unsized(*opened.unsized, opened.source);
  SHUNT_TRY(read.outcome);
  opened.opening = opened.opening + read.traffic;
  opened.unsized = nullptr;
  return opened;
}

Result<Opened> Session::open_any(const std::string& name, const std::string& layer) {
  const SourceKind kind = kind_of(name);
  if (kind == SourceKind::kImage) return open_layer(name, layer);
  SHUNT_TRY(check_layer(name, layer));
  if (kind == SourceKind::kHttp) return open_url(name);
  SHUNT_TRY(check_kind(name));
  Opened opened;
  opened.name = name;
  if (kind == SourceKind::kStdin) {
    SHUNT_ASSIGN(opened.source, spool_stdin(options_.cancel));
  } else {
    const auto file = io::FileSource::open(name);
    if (!file) return guess_name(file.error(), name);
    opened.source = *file;
  }
  return opened;
}

// ---- blobs on servers ---------------------------------------------------------------------------

Opened Session::with_store(std::shared_ptr<cache::BlockStore> store,
                           std::shared_ptr<remote::Origin> origin, remote::BlobInfo info) const {
  Opened opened;
  opened.name = info.name;
  opened.digest = info.digest;
  opened.origin = origin;
  cache::SourceOptions options;
  options.connections = options_.jobs;
  options.offline = options_.offline;
  options.cancel = options_.cancel;
  auto cached = std::make_shared<cache::CachedSource>(std::move(store), std::move(origin),
                                                      std::move(info), options);
  opened.identity = cached->identity().value_or(std::string());
  opened.cached = cached;
  opened.source = std::move(cached);
  return opened;
}

Result<Opened> Session::open_url(const std::string& url) {
  SHUNT_ASSIGN(const remote::Url parsed, remote::parse_url(url));
  remote::HttpBlob blob;
  blob.url = url;
  blob.fields = options_.fields;
  // The key is made of all of the URL and of who asks; what is written down of it shows no secrets.
  const auto cache = this->cache();
  std::string key;
  if (cache != nullptr) {
    Result<std::string> named = cache->key_of_url(parsed.text, remote::asker_of(blob));
    if (named) {
      key = std::move(*named);
    } else {
      log::warn("{}: not cached: {}", remote::show_url(url), named.error().describe());
    }
  }
  SHUNT_ASSIGN(Opened opened, open_blob(std::move(blob), key, remote::show_url(parsed.text)));
  if (opened.cached == nullptr) opened.identity = remote::show_url(url);
  return opened;
}

Result<Opened> Session::leave_unsized(const remote::OpenedBlob& opened,
                                      const remote::HttpBlob& blob) {
  SHUNT_ASSIGN(auto http, client());
  Opened result;
  result.opening = opened.traffic;
  result.name = blob.name.empty() ? remote::show_url(blob.url) : blob.name;
  result.unsized = std::make_shared<Unsized>(Unsized{std::move(http), blob, result.name});
  return result;
}

std::shared_ptr<cache::Cache> Session::cache_for(const std::string& key) {
  return key.empty() ? nullptr : cache();
}

Result<Opened> Session::open_blob(remote::HttpBlob blob, const std::string& key,
                                  const std::string& identity) {
  const std::string name = blob.name.empty() ? remote::show_url(blob.url) : blob.name;
  const auto cache = cache_for(key);
  std::shared_ptr<cache::Entry> entry;
  if (cache != nullptr) {
    Result<std::shared_ptr<cache::Entry>> found = cache->find(key);
    if (found) entry = std::move(*found);
  }
  // What a manifest says of the size is held against what is known of the blob, too: one of the two
  // is wrong.
  const bool other_size = entry != nullptr && blob.size && *blob.size != entry->size();
  if (other_size && (options_.offline || entry->sealed())) {
    return corrupt(fmt::format("it has {} bytes instead of {}", entry->size(), *blob.size))
        .with_path(name)
        .with_hint("the size that its manifest gives is not that of the blob with this digest");
  }
  // Nobody has held the entry against the digest, and it may have been made for a wrong size: the
  // server knows.
  if (other_size) entry = nullptr;
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
    if (!info.digest.empty() || info.freshness.at(std::time(nullptr))) {
      return with_store(entry, remote::assume_blob(http, std::move(blob), info), info);
    }
    SHUNT_ASSIGN(remote::OpenedBlob opened, remote::open_blob(http, blob, info));
    if (opened.unchanged && !opened.origin->info().no_store) {
      (void)entry->set_freshness(opened.origin->info().freshness);
      return with_store(entry, opened.origin, opened.origin->info());
    }
    return adopt(std::move(opened), blob, key, identity);
  }
  if (!blob.digest.empty() && blob.size && !other_size) {
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
  if (opened.unsized) return leave_unsized(opened, blob);
  const remote::BlobInfo info = opened.origin->info();
  std::shared_ptr<cache::BlockStore> store;
  const bool has_version = !info.digest.empty() || !info.validator.empty();
  const bool lasts = has_version && !info.no_store;
  if (!lasts) {
    log::info("{}: not cached: {}", info.name,
              has_version ? "the server forbids it" : "nothing tells its version");
  }
  const auto cache = cache_for(key);
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

Result<Opened> Session::open_config(const remote::Image& image) {
  const remote::Descriptor& config = image.manifest().config;
  Opened opened;
  if (image.reference().kind == remote::ImageReference::Kind::kLayout) {
    SHUNT_ASSIGN(opened.source, image.local_blob(config));
    return opened;
  }
  SHUNT_ASSIGN(remote::HttpBlob blob, image.http_blob(config));
  return open_blob(std::move(blob), cache::key_of_digest(config.digest), config.digest);
}

// A platform that was asked for is that of the image, although no index chose by it. This
// machine's, where none was, decides between images and no more.
Result<remote::Traffic> Session::check_platform(const remote::Image& image) {
  const remote::Descriptor& config = image.manifest().config;
  if (!options_.platform || image.manifest().platform || config.size > remote::kMaxManifestSize) {
    return remote::Traffic{};
  }
  const auto opened = open_config(image);
  if (!opened && options_.offline && opened.error().code == ErrorCode::kNetwork) {
    log::warn("{}: its platform is not known offline", image.reference().to_string());
    return remote::Traffic{};
  }
  if (!opened) return opened.error();
  std::string text(static_cast<std::size_t>(config.size), '\0');
  SHUNT_TRY(io::read_exactly(*opened->source, 0, std::as_writable_bytes(std::span(text))));
  const auto fits = remote::check_platform(text, config, *options_.platform);
  if (!fits) return fits.error().with_path(image.reference().to_string());
  return opened->traffic();
}

Result<Session::KnownImage> Session::image(const std::string& name) {
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
  KnownImage image;
  SHUNT_ASSIGN(image.image, remote::open_image(http, reference, options));
  SHUNT_ASSIGN(image.checking, check_platform(*image.image));
  const std::lock_guard lock(mutex_);
  return images_.try_emplace(name, std::move(image)).first->second;
}

Result<std::vector<remote::Descriptor>> Session::layers(const std::string& name) {
  SHUNT_ASSIGN(const KnownImage known, image(name));
  return known.image->manifest().layers;
}

Result<Opened> Session::open_layer(const std::string& name, const std::string& layer) {
  SHUNT_ASSIGN(const KnownImage known, image(name));
  const std::shared_ptr<remote::Image>& opened = known.image;
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
  result.opening = result.opening + opened->traffic() + known.checking;
  return result;
}

}  // namespace shunt::fetch
