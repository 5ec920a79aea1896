// One request to a token server, and its answer.
#pragma once

#include <chrono>
#include <string>

#include "shunt/http/document_request.h"
#include "shunt/http/fields.h"
#include "shunt/oci/token_authorizer.h"

namespace shunt::oci {

// Returns the request for a token that answers `challenge`, a Bearer challenge. Returns kNetwork
// for an invalid realm, or one that must not get the credentials.
[[nodiscard]] Result<http::DocumentRequest> make_token_request(const http::Challenge& challenge,
                                                               const TokenSettings& settings);

struct Token {
  std::string value;
  std::chrono::seconds lifetime{60};
};
// Returns kNetwork for a refusal, or an answer without a valid token.
[[nodiscard]] Result<Token> read_token(const http::WholeAnswer& answer,
                                       const TokenSettings& settings);

// Returns the value of Authorization for user and password.
[[nodiscard]] std::string basic_authorization(const Credentials& credentials);

// Returns a kNetwork error about logging in to this registry.
[[nodiscard]] Error login_error(const TokenSettings& settings, std::string reason);

}  // namespace shunt::oci
