// Credentials for a registry, as stored by `docker login`, `podman login` and `skopeo login`.
#pragma once

#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"

namespace shunt::oci {

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // OAuth2 refresh token, instead of user name and password

  [[nodiscard]] bool empty() const {
    return username.empty() && password.empty() && identity_token.empty();
  }
};

// Looks in the places that podman and Docker use, in this order; the first one that has an entry
// for `host` wins:
//
//   `authfile` only, if given: it must exist
//   $REGISTRY_AUTH_FILE
//   $XDG_RUNTIME_DIR/containers/auth.json
//   ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json
//   $DOCKER_CONFIG/config.json, or ~/.docker/config.json
//
// In each file it looks at credHelpers, credsStore and auths (containers-auth.json(5)). Returns
// empty credentials if there are none for the host; kUsage, with the path, for a file that exists
// and cannot be read; kFailed for a helper that fails. Runs programs: blocks up to 30 seconds for
// each. `cancel` may be null.
[[nodiscard]] Result<Credentials> find_credentials(const std::string& host,
                                                   const std::string& repository,
                                                   const std::string& authfile,
                                                   const CancelToken* cancel);

}  // namespace shunt::oci
