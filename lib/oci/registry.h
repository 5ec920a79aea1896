// Where things are in a registry (OCI distribution-spec 1.1, "Endpoints").
#pragma once

#include <string>
#include <string_view>

#include "shunt/base/result.h"
#include "shunt/http/document_request.h"
#include "shunt/oci/image.h"

namespace shunt::oci {

// "localhost", 127.0.0.0/8, "::1" (also in brackets); without a port.
[[nodiscard]] bool is_loopback(std::string_view host);

// One repository of a registry. A value.
class Registry {
 public:
  // Plain HTTP for loopback hosts, and for all with `plain_http`.
  Registry(const ImageReference& reference, bool plain_http);

  [[nodiscard]] const std::string& url() const { return url_; }  // "https://host:port"
  [[nodiscard]] std::string manifest_url(std::string_view tag_or_digest) const;
  [[nodiscard]] std::string blob_url(std::string_view digest) const;
  // "docker://host/repository@sha256:…".
  [[nodiscard]] std::string name_of(std::string_view digest) const;
  // What a token for reading it is asked for with.
  [[nodiscard]] std::string scope() const { return "repository:" + repository_ + ":pull"; }

 private:
  std::string host_;
  std::string repository_;
  std::string url_;
};

// The kinds of manifests that are understood, for Accept.
[[nodiscard]] http::Field accepted_manifests();

// What is wrong when a registry does not answer 200 to the question for `name`; kNetwork.
[[nodiscard]] Error refusal(const http::WholeAnswer& answer, const std::string& name);

}  // namespace shunt::oci
