// What the tests of tokens share: a registry and its token server, without a network.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "shunt/oci/token_authorizer.h"
#include "unit/http/fake_client.h"

namespace shunt::oci {

using namespace std::chrono_literals;
using Catch::Contains;
using http::fake::FakeAnswer;
using http::fake::FakeClient;
using http::fake::field_of;

inline constexpr const char* kRealm = "https://auth.example/token";
inline constexpr const char* kBlob = "https://r.example/v2/a/b/blobs/x";

inline blob::Request request_to(const std::string& url) {
  blob::Request request;
  request.url = url;
  return request;
}

// What a request to `url` carries as Authorization; empty: nothing.
inline std::string authorization_of(blob::Authorizer& authorizer, const std::string& url) {
  blob::Request request = request_to(url);
  const std::string used = authorizer.sign(request);
  const std::string* const value = blob::find_field(request.fields, "Authorization");
  CHECK(used == (value == nullptr ? std::string() : *value));
  return used;
}

// A registry that wants the last token that its token server has given out.
class TokenWorld {
 public:
  explicit TokenWorld(std::string realm = kRealm)
      : challenge(fmt::format(
            R"(Bearer realm="{}",service="the registry",scope="repository:a/b:pull")", realm)),
        client(std::make_shared<FakeClient>([this](const http::Request& r) { return answer(r); })) {
    settings.registry = "https://r.example";
    settings.name = "r.example";
    settings.scope = "repository:a/b:pull";
    settings.now = [this] { return now.load(); };
  }

  void start() {
    auto made = make_token_authorizer(client, settings);
    REQUIRE(made);
    authorizer = *made;
  }

  void start_with_token() {
    start();
    REQUIRE(get() == 200);
  }

  // The status that a request through it ends with.
  int get(const std::string& url = kBlob) {
    http::DocumentRequest request;
    request.request.url = url;
    request.authorizer = authorizer;
    request.limit = 1000;
    auto whole = http::get_document(*client, std::move(request));
    if (!whole) error = whole.error();
    return whole ? whole->answer.status : -1;
  }

  [[nodiscard]] std::vector<http::Request> token_requests() {
    std::vector<http::Request> found;
    for (const http::Request& request : client->requests()) {
      if (request.url.find("/token") != std::string::npos) found.push_back(request);
    }
    return found;
  }

  std::mutex hold;  // the token server waits for it
  std::string challenge;
  std::string token_body;  // empty: a new token each time
  int token_status = 200;
  std::atomic<int> failures{0};     // so many 503 of the token server first
  std::atomic<bool> revoke{false};  // the registry refuses all tokens
  std::atomic<int> issued{0};
  int lifetime = 300;
  std::atomic<std::chrono::steady_clock::time_point> now{std::chrono::steady_clock::now()};
  TokenSettings settings;
  Error error;
  std::shared_ptr<FakeClient> client;
  std::shared_ptr<blob::Authorizer> authorizer;

 private:
  FakeAnswer answer(const http::Request& request) {
    if (request.url.find("/token") != std::string::npos) {
      const std::lock_guard lock(hold);
      if (failures > 0) {
        --failures;
        return {503, {}, "", {}};
      }
      if (!token_body.empty() || token_status != 200) return {token_status, {}, token_body, {}};
      return {200, {}, fmt::format(R"({{"token":"t{}","expires_in":{}}})", ++issued, lifetime), {}};
    }
    if (!revoke && issued > 0 &&
        field_of(request, "Authorization") == fmt::format("Bearer t{}", issued.load())) {
      return {200, {}, "ok", {}};
    }
    return {401, {{"Www-authenticate", challenge}}, "", {}};
  }
};

}  // namespace shunt::oci
