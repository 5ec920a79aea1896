// A user name and a password in a request (RFC 7617).
#pragma once

#include <memory>
#include <string>

#include "shunt/blob/authorizer.h"

namespace shunt::http {

// "Basic …" of the two.
[[nodiscard]] std::string basic_authorization(const std::string& user, const std::string& password);

// Sends a fixed value of Authorization to the origin of `url`; a 401 is final.
[[nodiscard]] std::shared_ptr<blob::Authorizer> fixed_authorization(const std::string& url,
                                                                    std::string value);

}  // namespace shunt::http
