// Authentication at registries: Docker's token authentication, OAuth2 with a refresh token, and
// Basic if a registry asks for it (distribution-spec; distribution's docs on token authentication).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "shunt/blob/authorizer.h"
#include "shunt/http/client.h"
#include "shunt/http/document_request.h"
#include "shunt/http_blob/http_blob.h"
#include "shunt/oci/credentials.h"

namespace shunt::oci {

struct TokenSettings {
  std::string registry;  // URL of the registry; tokens are sent to its origin only
  std::string name;      // of the registry, for messages
  std::string scope;     // used if the registry gives none: "repository:…:pull"
  Credentials credentials;
  bool plain_http = false;  // credentials may be sent over plain HTTP to non-loopback hosts
  http::RetryPolicy retry;
  std::shared_ptr<http::RequestCount> count;  // may be null
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Sends nothing until the registry asks for it. A token is renewed in the background before it
// expires, and dropped once it has expired or was refused. Thread-safe.
[[nodiscard]] Result<std::shared_ptr<blob::Authorizer>> make_token_authorizer(
    std::shared_ptr<http::Client> client, TokenSettings settings);

}  // namespace shunt::oci
