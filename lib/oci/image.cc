// Resolves a reference to a verified manifest: index, platform, manifest.
#include "shunt/oci/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "shunt/blob/digest.h"
#include "shunt/http/document_request.h"
#include "shunt/oci/credentials.h"
#include "shunt/oci/layout.h"
#include "shunt/oci/registry.h"
#include "shunt/oci/token_authorizer.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

constexpr int kMaxIndexDepth = 4;

// A manifest or index whose digest has been checked.
struct Document {
  std::string digest;
  std::string bytes;
  std::string media_type;  // from the server; may be empty
};

// Follows indexes to the manifest for `platform`. `get` returns the Document of a Descriptor.
template <typename Get>
Result<Manifest> resolve(Document document, const Platform& platform, const Get& get) {
  std::optional<Platform> chosen;
  for (int depth = 0; depth < kMaxIndexDepth; ++depth) {
    SHUNT_ASSIGN(ManifestDocument parsed, parse_manifest(document.bytes, document.media_type));
    if (!parsed.is_index) {
      parsed.manifest.digest = document.digest;
      parsed.manifest.platform = chosen;
      return std::move(parsed.manifest);
    }
    SHUNT_ASSIGN(const Descriptor entry, choose_platform(parsed.entries, platform));
    if (entry.platform) chosen = entry.platform;
    SHUNT_ASSIGN(document, get(entry));
  }
  return corrupt("indexes are nested too deeply");
}

class RegistryImage final : public Image {
 public:
  RegistryImage(std::shared_ptr<http::Client> client, ImageReference reference,
                ImageOptions options)
      : client_(std::move(client)),
        reference_(std::move(reference)),
        options_(std::move(options)),
        registry_(reference_, options_.plain_http) {}

  Result<void> open() {
    if (!is_offline()) SHUNT_TRY(prepare_authorizer());
    SHUNT_ASSIGN(Document first, first_document());
    const std::string first_digest = first.digest;
    SHUNT_ASSIGN(manifest_, resolve(std::move(first), options_.platform, [this](const auto& entry) {
                   return document_of(entry.digest, entry.size);
                 }));
    keep(first_digest);
    return {};
  }

  const ImageReference& reference() const override { return reference_; }
  const Manifest& manifest() const override { return manifest_; }
  std::string blob_name(const Descriptor& blob) const override {
    return registry_.name_of(blob.digest);
  }
  Result<http_blob::HttpBlob> http_blob(const Descriptor& blob) const override {
    if (!blob::is_digest(blob.digest))
      return usage("a blob without a digest").with_path(reference_.to_string());
    http_blob::HttpBlob wanted;
    wanted.url = registry_.blob_url(blob.digest);
    wanted.fields = options_.fields;
    wanted.authorizer = authorizer_;
    wanted.name = blob_name(blob);
    wanted.digest = blob.digest;
    wanted.size = blob.size;
    wanted.retry = options_.retry;
    return wanted;
  }
  Result<io::SourcePtr> local_blob(const Descriptor& blob) const override {
    return usage("a blob of a registry is no file").with_path(blob_name(blob));
  }
  blob::Traffic traffic() const override {
    blob::Traffic traffic;
    traffic.requests = count_->requests;
    traffic.retries = count_->retries;
    return traffic;
  }

 private:
  [[nodiscard]] bool is_offline() const { return options_.offline || client_ == nullptr; }

  Result<void> prepare_authorizer() {
    // An Authorization field given by the user takes precedence.
    if (blob::find_field(options_.fields, "Authorization") != nullptr) return {};
    TokenSettings settings;
    settings.registry = registry_.url();
    settings.name = reference_.host;
    settings.scope = registry_.scope();
    SHUNT_ASSIGN(settings.credentials,
                 find_credentials(reference_.host, reference_.repository, options_.authfile,
                                  client_->options().cancel));
    settings.plain_http = options_.plain_http;
    settings.retry = options_.retry;
    settings.count = count_;
    SHUNT_ASSIGN(authorizer_, make_token_authorizer(client_, std::move(settings)));
    return {};
  }

  Result<Document> first_document() {
    if (!reference_.digest.empty()) return document_of(reference_.digest, std::nullopt);
    if (!is_offline()) return ask(reference_.tag, {}, std::nullopt);
    std::optional<std::string> digest;
    if (options_.documents != nullptr) {
      digest = options_.documents->find_tag(reference_.to_string());
    }
    if (!digest || !blob::is_digest(*digest)) {
      return missing(reference_.to_string(), "the digest of the tag");
    }
    return document_of(*digest, std::nullopt);
  }

  // Returns a document from the store, or else from the registry.
  Result<Document> document_of(const std::string& digest, std::optional<std::uint64_t> size) {
    if (options_.documents != nullptr) {
      auto kept = options_.documents->find_document(digest);
      if (kept && kept->size() <= kMaxManifestSize && blob::sha256_digest(*kept) == digest) {
        SHUNT_TRY(checked(*kept, digest, size));
        return Document{digest, std::move(*kept), {}};
      }
    }
    if (is_offline()) return missing(registry_.name_of(digest), "the manifest");
    return ask(digest, digest, size);
  }

  // `digest` is empty for a tag; the answer then gives it.
  Result<Document> ask(const std::string& tag_or_digest, const std::string& digest,
                       std::optional<std::uint64_t> size) {
    const std::string name =
        digest.empty() ? reference_.to_string() : registry_.name_of(tag_or_digest);
    http::DocumentRequest request;
    request.request.url = registry_.manifest_url(tag_or_digest);
    request.request.fields.push_back(accepted_manifests());
    request.own_fields = options_.fields;
    request.authorizer = authorizer_;
    request.limit = kMaxManifestSize;
    request.retry = options_.retry;
    request.count = count_;
    auto answer = http::get_document(*client_, std::move(request));
    if (!answer) return answer.error();
    if (answer->answer.status != 200) return refusal(*answer, name);
    Document document;
    document.bytes = std::move(answer->body);
    document.digest = digest.empty() ? blob::sha256_digest(document.bytes) : digest;
    SHUNT_TRY(checked(document.bytes, document.digest, size));
    if (const std::string* const type = answer->answer.find("Content-Type")) {
      document.media_type = *type;
    }
    fetched_.push_back(document);
    return document;
  }

  [[nodiscard]] Result<void> checked(std::string_view bytes, const std::string& digest,
                                     std::optional<std::uint64_t> size) const {
    const auto outcome = blob::check_document(bytes, digest, size);
    if (!outcome) return outcome.error().with_path(registry_.name_of(digest));
    return {};
  }

  [[nodiscard]] static Error missing(const std::string& name, const char* what) {
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = name;
    error.reason = fmt::format("{} is not in the cache (offline)", what);
    return error;
  }

  // Called once everything is verified.
  void keep(const std::string& first_digest) {
    if (options_.documents == nullptr) return;
    for (const Document& document : fetched_) {
      options_.documents->keep_document(document.digest, document.bytes);
    }
    fetched_.clear();
    if (!is_offline() && reference_.digest.empty()) {
      options_.documents->keep_tag(reference_.to_string(), first_digest);
    }
  }

  const std::shared_ptr<http::Client> client_;
  const ImageReference reference_;
  const ImageOptions options_;
  const Registry registry_;
  const std::shared_ptr<http::RequestCount> count_ = std::make_shared<http::RequestCount>();
  std::shared_ptr<blob::Authorizer> authorizer_;
  std::vector<Document> fetched_;
  Manifest manifest_;
};

class LayoutImage final : public Image {
 public:
  static Result<std::shared_ptr<Image>> open(const ImageReference& reference,
                                             const Platform& platform) {
    SHUNT_ASSIGN(OciLayout layout, OciLayout::open(reference.directory));
    SHUNT_ASSIGN(const std::vector<Descriptor> entries, layout.find(reference));
    Descriptor entry = entries.front();
    if (entries.size() > 1) {
      SHUNT_ASSIGN(entry, choose_platform(entries, platform));
    }
    const auto get = [&](const Descriptor& wanted) -> Result<Document> {
      SHUNT_ASSIGN(std::string bytes, layout.read_document(wanted.digest));
      const auto outcome = blob::check_document(bytes, wanted.digest, wanted.size);
      if (!outcome) return outcome.error().with_path(layout.blob_path(wanted.digest));
      return Document{wanted.digest, std::move(bytes), wanted.media_type};
    };
    SHUNT_ASSIGN(Document first, get(entry));
    SHUNT_ASSIGN(Manifest manifest, resolve(std::move(first), platform, get));
    return std::shared_ptr<Image>(
        std::make_shared<LayoutImage>(reference, std::move(layout), std::move(manifest)));
  }

  LayoutImage(ImageReference reference, OciLayout layout, Manifest manifest)
      : reference_(std::move(reference)),
        layout_(std::move(layout)),
        manifest_(std::move(manifest)) {}

  const ImageReference& reference() const override { return reference_; }
  const Manifest& manifest() const override { return manifest_; }
  std::string blob_name(const Descriptor& blob) const override {
    return layout_.blob_path(blob.digest);
  }
  Result<http_blob::HttpBlob> http_blob(const Descriptor& blob) const override {
    return usage("a blob of a layout is a file").with_path(blob_name(blob));
  }
  Result<io::SourcePtr> local_blob(const Descriptor& blob) const override {
    if (!blob::is_digest(blob.digest))
      return usage("a blob without a digest").with_path(reference_.to_string());
    return layout_.open_blob(blob);
  }
  blob::Traffic traffic() const override { return {}; }

 private:
  ImageReference reference_;
  OciLayout layout_;
  Manifest manifest_;
};

}  // namespace

Result<std::shared_ptr<Image>> open_image(const std::shared_ptr<http::Client>& client,
                                          const ImageReference& reference,
                                          const ImageOptions& options) {
  const auto named = [&](const Error& error) {
    return error.path.empty() ? error.with_path(reference.to_string()) : error;
  };
  if (reference.kind == ImageReference::Kind::kLayout) {
    auto image = LayoutImage::open(reference, options.platform);
    if (!image) return named(image.error());
    return image;
  }
  auto image = std::make_shared<RegistryImage>(client, reference, options);
  if (auto opened = image->open(); !opened) return named(opened.error());
  return std::shared_ptr<Image>(std::move(image));
}

}  // namespace shunt::oci
