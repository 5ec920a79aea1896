// Tokens of registries: Docker's token authentication, OAuth2 with a refresh token, and Basic where
// a registry asks for that (distribution-spec; distribution's docs on token authentication).
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
  std::string registry;  // a URL of the registry: what it gets is for its origin alone
  std::string name;      // of the registry, for messages
  std::string scope;     // what to ask for where the registry does not say: "repository:…:pull"
  Credentials credentials;
  bool plain_http = false;  // credentials may go over plain HTTP to hosts that are not loopback
  http::RetryPolicy retry;
  std::shared_ptr<http::RequestCount> count;  // may be null
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Sends nothing until the registry has asked for it. A token is renewed in the background before it
// expires, and dropped once it has or was refused.
[[nodiscard]] Result<std::shared_ptr<blob::Authorizer>> make_token_authorizer(
    std::shared_ptr<http::Client> client, TokenSettings settings);

}  // namespace shunt::oci
