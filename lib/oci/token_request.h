// One question to a token server, and what its answer says.
#pragma once

#include <chrono>
#include <string>

#include "shunt/http/document_request.h"
#include "shunt/http/fields.h"
#include "shunt/oci/token_authorizer.h"

namespace shunt::oci {

// What to ask for a token after `challenge`, which is of Bearer. kNetwork for a realm that is none,
// or that must not get the credentials.
[[nodiscard]] Result<http::DocumentRequest> make_token_request(const http::Challenge& challenge,
                                                               const TokenSettings& settings);

struct Token {
  std::string value;
  std::chrono::seconds lifetime{60};
};
// kNetwork for a refusal, and for what holds no token that could be sent.
[[nodiscard]] Result<Token> read_token(const http::WholeAnswer& answer,
                                       const TokenSettings& settings);

// "user:password" for Authorization.
[[nodiscard]] std::string basic_authorization(const Credentials& credentials);

// A kNetwork error about getting into this registry.
[[nodiscard]] Error login_error(const TokenSettings& settings, std::string reason);

}  // namespace shunt::oci
