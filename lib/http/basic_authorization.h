// Basic authentication with user name and password (RFC 7617).
#pragma once

#include <memory>
#include <string>

#include "shunt/blob/authorizer.h"

namespace shunt::http {

// Returns the value of Authorization: "Basic …".
[[nodiscard]] std::string basic_authorization(const std::string& user, const std::string& password);

// Returns an authorizer that sends `value` as Authorization to the origin of `url` only. A 401 is
// final.
[[nodiscard]] std::shared_ptr<blob::Authorizer> fixed_authorization(const std::string& url,
                                                                    std::string value);

}  // namespace shunt::http
