// Programs that keep credentials: `docker-credential-NAME get`, the host on its standard input, and
// {"Username": …, "Secret": …} on its standard output (docker-credential-helpers).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/oci/credentials.h"

namespace shunt::oci {

inline constexpr std::chrono::milliseconds kHelperTimeout{30'000};

// nullopt: it has none for `server`. kUsage for a name that is none, kFailed for a program that is
// not there, fails, takes too long or says what nobody understands. `cancel` may be null.
[[nodiscard]] Result<std::optional<Credentials>> ask_credential_helper(
    const std::string& name, const std::string& server, const CancelToken* cancel,
    std::chrono::milliseconds timeout = kHelperTimeout);

}  // namespace shunt::oci
