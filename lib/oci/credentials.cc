#include "shunt/oci/credentials.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <vector>

#include "shunt/base/log.h"
#include "shunt/files/path.h"
#include "shunt/http/base64.h"
#include "shunt/oci/credential_helper.h"
#include "shunt/oci/json_text.h"
#include "shunt/oci/small_file.h"
#include "shunt/text/ascii.h"

namespace shunt::oci {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::string_view kDockerHub = "docker.io";
// Docker's name for its registry in files and for helpers.
constexpr const char* kDockerHubServer = "https://index.docker.io/v1/";

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Error unreadable(const std::string& path, std::string reason) {
  Error error;
  error.code = ErrorCode::kUsage;
  error.path = path;
  error.operation = "read credentials";
  error.reason = std::move(reason);
  return error;
}

// The credential files, in order of precedence.
std::vector<std::string> places() {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& directory, const char* rest) {
    if (!directory.empty()) paths.push_back(directory + rest);
  };
  const std::string home = variable("HOME");
  add(variable("REGISTRY_AUTH_FILE"), "");
  add(variable("XDG_RUNTIME_DIR"), "/containers/auth.json");
  if (const std::string config = variable("XDG_CONFIG_HOME"); !config.empty()) {
    add(config, "/containers/auth.json");
  } else {
    add(home, "/.config/containers/auth.json");
  }
  if (const std::string docker = variable("DOCKER_CONFIG"); !docker.empty()) {
    add(docker, "/config.json");
  } else {
    add(home, "/.docker/config.json");
  }
  return paths;
}

// Returns a key of these files as host and, for podman's, path. Docker's keys may be URLs; only the
// host counts.
std::string normalised(std::string_view key) {
  bool is_url = false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    is_url = true;
  }
  for (const std::string_view ending : {"/", "/v1", "/v2"}) {
    if (key.ends_with(ending)) key.remove_suffix(ending.size());
  }
  const std::size_t slash = std::min(key.find('/'), key.size());
  std::string host = ascii::lower(key.substr(0, slash));
  if (host == "index.docker.io" || host == "registry-1.docker.io") host = kDockerHub;
  if (!is_url) host += key.substr(slash);
  return host;
}

Result<Credentials> parse_entry(const nlohmann::json& entry, const std::string& path,
                                const std::string& key) {
  Credentials credentials;
  const auto broken = [&] {
    return unreadable(path, fmt::format("the entry for \"{}\" is invalid", key));
  };
  const auto identity_token = text_member(entry, "identitytoken");
  const auto username = text_member(entry, "username");
  const auto password = text_member(entry, "password");
  const auto encoded = text_member(entry, "auth");
  if (!entry.is_object() || !identity_token || !username || !password || !encoded) return broken();
  credentials.identity_token = *identity_token;
  credentials.username = *username;
  credentials.password = *password;
  if (encoded->empty() || !identity_token->empty()) return credentials;
  const auto decoded = http::base64_decode(*encoded);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return broken();
  credentials.username = decoded->substr(0, colon);
  credentials.password = decoded->substr(colon + 1);
  // Docker has stored passwords with trailing zeros.
  while (credentials.password.ends_with('\0')) credentials.password.pop_back();
  return credentials;
}

class CredentialFile {
 public:
  CredentialFile(std::string path, nlohmann::json content, const CancelToken* cancel)
      : path_(std::move(path)), content_(std::move(content)), cancel_(cancel) {}

  // Returns nullopt if the file does not exist.
  static Result<std::optional<CredentialFile>> open(const std::string& path,
                                                    const CancelToken* cancel) {
    const auto text = read_small_file(path, kMaxFile);
    if (!text && (text.error().system_errno == ENOENT || text.error().system_errno == ENOTDIR)) {
      return std::optional<CredentialFile>();
    }
    if (!text) return unreadable(path, text.error().reason);
    auto content = parse_json(*text);
    if (!content || !content->is_object()) return unreadable(path, "the file is not a JSON object");
    return std::optional<CredentialFile>(CredentialFile(path, std::move(*content), cancel));
  }

  [[nodiscard]] Result<std::optional<Credentials>> find(const std::string& host,
                                                        const std::string& repository) const {
    SHUNT_ASSIGN(auto found, from_own_helper(host));
    if (found) return found;
    SHUNT_ASSIGN(found, from_store(host));
    if (found) return found;
    return from_entries(host, repository);
  }

 private:
  using Found = std::optional<Credentials>;

  [[nodiscard]] Result<Found> from_own_helper(const std::string& host) const {
    SHUNT_ASSIGN(const nlohmann::json* const helpers, object("credHelpers"));
    if (helpers == nullptr) return Found();
    for (const auto& [key, value] : helpers->items()) {
      if (normalised(key) != host) continue;
      const auto* const name = value.get_ptr<const std::string*>();
      if (name == nullptr) return unreadable(path_, "the name of a helper is not text");
      return ask(*name, host);
    }
    return Found();
  }

  [[nodiscard]] Result<Found> from_store(const std::string& host) const {
    const auto name = text_member(content_, "credsStore");
    if (!name) return unreadable(path_, name.error().reason);
    if (name->empty()) return Found();
    return ask(*name, host);
  }

  [[nodiscard]] Result<Found> ask(const std::string& helper, const std::string& host) const {
    const auto failed = [&](const Error& error) {
      return error.with_hint(fmt::format("it is named in {}", path_));
    };
    if (host == kDockerHub) {
      auto found = ask_credential_helper(helper, kDockerHubServer, cancel_);
      if (!found) return failed(found.error());
      if (*found) return found;
    }
    auto found = ask_credential_helper(helper, host, cancel_);
    if (!found) return failed(found.error());
    return found;
  }

  // Returns the entry with the longest key that is the repository or contains it.
  [[nodiscard]] Result<Found> from_entries(const std::string& host,
                                           const std::string& repository) const {
    SHUNT_ASSIGN(const nlohmann::json* const entries, object("auths"));
    if (entries == nullptr) return Found();
    for (std::string wanted = host + "/" + repository;;) {
      for (const auto& [key, entry] : entries->items()) {
        if (normalised(key) != wanted) continue;
        SHUNT_ASSIGN(Credentials credentials, parse_entry(entry, path_, key));
        // Docker leaves empty entries if a helper has the credentials.
        if (!credentials.empty()) return Found(std::move(credentials));
      }
      const std::size_t slash = wanted.rfind('/');
      if (slash == std::string::npos) return Found();
      wanted.resize(slash);
    }
  }

  [[nodiscard]] Result<const nlohmann::json*> object(const char* name) const {
    const nlohmann::json* const found = member(content_, name);
    if (found != nullptr && !found->is_object()) {
      return unreadable(path_, fmt::format("\"{}\" is not an object", name));
    }
    return found;
  }

  std::string path_;
  nlohmann::json content_;
  const CancelToken* cancel_;
};

}  // namespace

Result<Credentials> find_credentials(const std::string& host, const std::string& repository,
                                     const std::string& authfile, const CancelToken* cancel) {
  const std::vector<std::string> paths =
      authfile.empty() ? places() : std::vector<std::string>{authfile};
  const std::string wanted = normalised(host);
  const std::string named = authfile.empty() ? variable("REGISTRY_AUTH_FILE") : authfile;
  for (const std::string& path : paths) {
    // The home of another user, as after su and in many containers.
    if (path != named && files::is_out_of_reach(path)) {
      log::info("{}: not searched for credentials: this user may not enter the directory", path);
      continue;
    }
    SHUNT_ASSIGN(const auto file, CredentialFile::open(path, cancel));
    if (!file) {
      if (!authfile.empty()) return unreadable(path, "there is no such file");
      continue;
    }
    SHUNT_ASSIGN(auto credentials, file->find(wanted, repository));
    if (!credentials) continue;
    log::debug("credentials for {} come from {}", host, path);
    return std::move(*credentials);
  }
  return Credentials();
}

}  // namespace shunt::oci
