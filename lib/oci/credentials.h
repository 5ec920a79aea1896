// Who one is at a registry: what `docker login`, `podman login` and `skopeo login` have kept.
#pragma once

#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"

namespace shunt::oci {

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // an OAuth2 refresh token, instead of the above

  [[nodiscard]] bool empty() const {
    return username.empty() && password.empty() && identity_token.empty();
  }
};

// Looks where the tools of podman and Docker look, in this order; the first place that knows `host`
// wins:
//
//   `authfile` alone, where it is given: it has to be there
//   $REGISTRY_AUTH_FILE
//   $XDG_RUNTIME_DIR/containers/auth.json
//   ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json
//   $DOCKER_CONFIG/config.json, or ~/.docker/config.json
//
// and in each file at credHelpers, credsStore and auths (containers-auth.json(5)). Empty when
// nobody knows the host. kUsage, with its path, for a file that is there and cannot be read;
// kFailed for a helper that does not work. Runs programs: blocks, 30 seconds for each at most.
[[nodiscard]] Result<Credentials> find_credentials(const std::string& host,
                                                   const std::string& repository,
                                                   const std::string& authfile,
                                                   const CancelToken* cancel);

}  // namespace shunt::oci
