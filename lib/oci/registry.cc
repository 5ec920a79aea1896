#include "shunt/oci/registry.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "shunt/oci/json_text.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

// "[::1]:5000" -> "[::1]".
std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return host;
  return host.substr(0, colon);
}

// Returns the first error in a body, in the registries' format (distribution-spec, "Error Codes").
std::string error_text(const std::string& body) {
  const auto json = parse_json(body);
  if (!json) return {};
  const nlohmann::json* const errors = member(*json, "errors");
  if (errors == nullptr || !errors->is_array() || errors->empty()) return {};
  for (const char* const name : {"message", "code"}) {
    const auto text = text_member(errors->front(), name);
    if (text && !text->empty()) return ": " + one_line(*text);
  }
  return {};
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") return true;
  const std::string text(host);
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) == 1) {
    return (ntohl(address.s_addr) >> 24) == 127;
  }
  in6_addr address6{};
  return ::inet_pton(AF_INET6, text.c_str(), &address6) == 1 && IN6_IS_ADDR_LOOPBACK(&address6);
}

Registry::Registry(const ImageReference& reference, bool plain_http)
    : host_(reference.host), repository_(reference.repository) {
  const bool plain = plain_http || is_loopback(without_port(host_));
  url_ = fmt::format("{}://{}", plain ? "http" : "https",
                     host_ == "docker.io" ? "registry-1.docker.io" : host_);
}

std::string Registry::manifest_url(std::string_view tag_or_digest) const {
  return fmt::format("{}/v2/{}/manifests/{}", url_, repository_, tag_or_digest);
}

std::string Registry::blob_url(std::string_view digest) const {
  return fmt::format("{}/v2/{}/blobs/{}", url_, repository_, digest);
}

std::string Registry::name_of(std::string_view digest) const {
  return fmt::format("docker://{}/{}@{}", host_, repository_, digest);
}

http::Field accepted_manifests() {
  return {"Accept",
          "application/vnd.oci.image.index.v1+json, "
          "application/vnd.oci.image.manifest.v1+json, "
          "application/vnd.docker.distribution.manifest.list.v2+json, "
          "application/vnd.docker.distribution.manifest.v2+json"};
}

Error refusal(const http::WholeAnswer& answer, const std::string& name) {
  const int status = answer.answer.status;
  Error error;
  error.code = ErrorCode::kNetwork;
  error.path = name;
  const std::string said = error_text(answer.body);
  if (status == 404) {
    error.reason = "not found in the registry" + said;
  } else if (status == 401 || status == 403) {
    error.reason = fmt::format("the registry denies access ({}){}", status, said);
    error.hint = "it may not exist, or need a login: `skopeo login`, `docker login`, --authfile";
  } else {
    error.reason = fmt::format("the registry answers {}{}", status, said);
  }
  return error;
}

}  // namespace shunt::oci
