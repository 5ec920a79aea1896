// Credential helpers: `docker-credential-NAME get` reads the host from standard input and writes
// {"Username": …, "Secret": …} to standard output (docker-credential-helpers).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/oci/credentials.h"

namespace shunt::oci {

inline constexpr std::chrono::milliseconds kHelperTimeout{30'000};

// Returns nullopt if it has no credentials for `server`; kUsage for an invalid name; kFailed if the
// program is missing, fails, takes too long, or prints something invalid. `cancel` may be null.
[[nodiscard]] Result<std::optional<Credentials>> ask_credential_helper(
    const std::string& name, const std::string& server, const CancelToken* cancel,
    std::chrono::milliseconds timeout = kHelperTimeout);

}  // namespace shunt::oci
