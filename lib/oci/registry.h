// URLs and names in a registry (OCI distribution-spec 1.1, "Endpoints").
#pragma once

#include <string>
#include <string_view>

#include "shunt/base/result.h"
#include "shunt/http/document_request.h"
#include "shunt/oci/image.h"

namespace shunt::oci {

// Returns true for "localhost", 127.0.0.0/8 and "::1" (also in brackets), without a port.
[[nodiscard]] bool is_loopback(std::string_view host);

// One repository of a registry. A value.
class Registry {
 public:
  // Uses plain HTTP for loopback hosts, and for all hosts if `plain_http`.
  Registry(const ImageReference& reference, bool plain_http);

  [[nodiscard]] const std::string& url() const { return url_; }  // "https://host:port"
  [[nodiscard]] std::string manifest_url(std::string_view tag_or_digest) const;
  [[nodiscard]] std::string blob_url(std::string_view digest) const;
  // Returns "docker://host/repository@sha256:…".
  [[nodiscard]] std::string name_of(std::string_view digest) const;
  // The scope of a token for reading the repository.
  [[nodiscard]] std::string scope() const { return "repository:" + repository_ + ":pull"; }

 private:
  std::string host_;
  std::string repository_;
  std::string url_;
};

// Returns the Accept field with the supported manifest types.
[[nodiscard]] http::Field accepted_manifests();

// Returns the kNetwork error for an answer other than 200 to a request for `name`.
[[nodiscard]] Error refusal(const http::WholeAnswer& answer, const std::string& name);

}  // namespace shunt::oci
