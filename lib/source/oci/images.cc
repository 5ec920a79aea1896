#include "shunt/source/oci/images.h"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/source/http/web.h"

namespace shunt::source {

std::shared_ptr<Images> Images::of(Session& session, const OciOptions& options) {
  return session.kept<Images>([&] { return std::make_shared<Images>(session, options); });
}

Result<Opened> Images::open_config(const oci::Image& image) {
  const oci::Descriptor& config = image.manifest().config;
  Opened opened;
  if (image.reference().kind == oci::ImageReference::Kind::kLayout) {
    SHUNT_ASSIGN(opened.source, image.local_blob(config));
    return opened;
  }
  SHUNT_ASSIGN(http_blob::HttpBlob blob, image.http_blob(config));
  return Web::of(session_)->open(std::move(blob), cache::key_of_digest(config.digest),
                                 config.digest);
}

// An explicitly requested platform must match, even if no index chose by it. The default, this
// machine's, only chooses between images.
Result<blob::Traffic> Images::check_platform(const oci::Image& image) {
  const oci::Descriptor& config = image.manifest().config;
  if (!options_.platform || image.manifest().platform || config.size > oci::kMaxManifestSize) {
    return blob::Traffic{};
  }
  const auto opened = open_config(image);
  if (!opened && session_.options().offline && opened.error().code == ErrorCode::kNetwork) {
    log::warn("{}: its platform is unknown offline", image.reference().to_string());
    return blob::Traffic{};
  }
  if (!opened) return opened.error();
  std::string text(static_cast<std::size_t>(config.size), '\0');
  SHUNT_TRY(io::read_exactly(*opened->source, 0, std::as_writable_bytes(std::span(text))));
  const auto fits = oci::check_platform(text, config, *options_.platform);
  if (!fits) return fits.error().with_path(image.reference().to_string());
  return opened->traffic();
}

Result<Images::KnownImage> Images::image(const std::string& name) {
  {
    const Lock lock(mutex_);
    if (const auto known = images_.find(name); known != images_.end()) return known->second;
  }
  SHUNT_ASSIGN(const oci::ImageReference reference, oci::parse_image_reference(name));
  oci::ImageOptions options;
  if (options_.platform) options.platform = *options_.platform;
  options.plain_http = options_.plain_http;
  options.authfile = options_.authfile;
  options.fields = session_.options().fields;
  options.offline = session_.options().offline;
  const auto documents = session_.cache();
  options.documents = documents.get();
  std::shared_ptr<http::Client> http;
  if (reference.kind == oci::ImageReference::Kind::kRegistry && !session_.options().offline) {
    SHUNT_ASSIGN(http, Web::of(session_)->client());
  }
  KnownImage image;
  SHUNT_ASSIGN(image.image, oci::open_image(http, reference, options));
  SHUNT_ASSIGN(image.checking, check_platform(*image.image));
  const Lock lock(mutex_);
  return images_.try_emplace(name, std::move(image)).first->second;
}

Result<std::vector<oci::Descriptor>> Images::layers(const std::string& name) {
  SHUNT_ASSIGN(const KnownImage known, image(name));
  return known.image->manifest().layers;
}

Result<Opened> Images::open_layer(const std::string& name, const std::string& layer) {
  SHUNT_ASSIGN(const KnownImage known, image(name));
  const std::shared_ptr<oci::Image>& opened = known.image;
  const std::vector<oci::Descriptor>& layers = opened->manifest().layers;
  if (layer.empty() && layers.size() != 1) {
    return usage(fmt::format("the image has {} layers", layers.size()))
        .with_path(name)
        .with_hint("choose one with --layer, by its number from 0 or by its digest");
  }
  SHUNT_ASSIGN(const oci::Descriptor chosen,
               oci::find_layer(opened->manifest(), layer.empty() ? "0" : layer));
  Opened result;
  if (opened->reference().kind == oci::ImageReference::Kind::kLayout) {
    SHUNT_ASSIGN(result.source, opened->local_blob(chosen));
    result.name = opened->blob_name(chosen);
    result.identity = result.digest = chosen.digest;
  } else {
    SHUNT_ASSIGN(http_blob::HttpBlob blob, opened->http_blob(chosen));
    SHUNT_ASSIGN(result, Web::of(session_)->open(
                             std::move(blob), cache::key_of_digest(chosen.digest), chosen.digest));
  }
  result.is_part = true;
  result.annotations = chosen.annotations;
  result.opening = result.opening + opened->traffic() + known.checking;
  return result;
}

}  // namespace shunt::source
