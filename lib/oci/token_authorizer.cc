#include "shunt/oci/token_authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "shunt/base/catching.h"
#include "shunt/base/log.h"
#include "shunt/base/mutex.h"
#include "shunt/http/fields.h"
#include "shunt/http/url.h"
#include "shunt/oci/token_request.h"
#include "shunt/text/ascii.h"

namespace shunt::oci {
namespace {

using Time = std::chrono::steady_clock::time_point;
using Done = std::function<void(Result<void>)>;

// Returns the first challenge of `scheme` in all fields of the answer.
std::optional<http::Challenge> find_challenge(const blob::Answer& answer, std::string_view scheme) {
  for (const http::Field& field : answer.fields) {
    if (!ascii::equal_ignoring_case(field.name, "WWW-Authenticate")) continue;
    for (http::Challenge& challenge : http::parse_challenges(field.value)) {
      if (challenge.scheme == scheme) return std::move(challenge);
    }
  }
  return std::nullopt;
}

// Shared by the authorizer and its tasks on the client's thread. Tasks use the client only until
// close() is called: the authorizer owns it.
class TokenState final : public std::enable_shared_from_this<TokenState> {
 public:
  TokenState(http::Client& client, TokenSettings settings, http::Url registry)
      : client_(client), settings_(std::move(settings)), registry_(std::move(registry)) {}

  std::string sign(blob::Request& request) {
    if (!is_registry(request.url)) return {};
    const Lock lock(mutex_);
    drop_expired();
    if (!value_.empty() && challenge_ && settings_.now() >= renew_at_ && !renewing_) {
      renew_at_ = expires_at_;  // once
      start_renewal();
    }
    if (!value_.empty()) request.fields.push_back({"Authorization", value_});
    return value_;
  }

  void renew(const std::string& url, const blob::Answer& answer, const std::string& used,
             Done done) {
    const Lock lock(mutex_);
    if (!is_registry(url)) {
      return report(std::move(done),
                    login_error(settings_, "a server that it redirects to requires a login"));
    }
    drop_expired();
    if (!value_.empty() && value_ != used) return report(std::move(done), {});
    value_.clear();  // stale or missing
    if (auto challenge = find_challenge(answer, "bearer")) {
      challenge_ = std::move(challenge);
      waiters_.push_back(std::move(done));
      if (!renewing_) start_renewal();
      return;
    }
    report(std::move(done), use_basic(answer, used));
  }

  void close() {
    std::unique_ptr<http::Call> call;  // destroyed after the lock is released, since that may wait
    std::vector<Done> waiters;
    const Lock lock(mutex_);
    closed_ = true;
    std::swap(call, call_);
    std::swap(waiters, waiters_);
  }

 private:
  [[nodiscard]] bool is_registry(const std::string& url) const {
    const auto parsed = http::parse_url(url);
    return parsed && parsed->same_origin(registry_);
  }

  void drop_expired() SHUNT_REQUIRES(mutex_) {
    if (challenge_ && settings_.now() >= expires_at_) value_.clear();
  }

  Result<void> use_basic(const blob::Answer& answer, const std::string& used)
      SHUNT_REQUIRES(mutex_) {
    if (!find_challenge(answer, "basic")) {
      return login_error(settings_, "the registry answers 401 and does not say how to log in");
    }
    const Credentials& credentials = settings_.credentials;
    if (credentials.empty()) return login_error(settings_, "the registry requires a login");
    if (!credentials.identity_token.empty()) {
      return login_error(settings_, "the registry requires a password, but only a token is stored");
    }
    const std::string value = basic_authorization(credentials);
    if (used == value) return login_error(settings_, "the registry refuses the credentials");
    challenge_.reset();
    value_ = value;
    return {};
  }

  // Calls `done` on the client's thread.
  void report(Done done, Result<void> outcome) {
    client_.post([done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
  }

  void start_renewal() SHUNT_REQUIRES(mutex_) {
    renewing_ = true;
    client_.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->step_or_finish([&] { self->ask(); });
    });
  }

  // The rest runs on the client's thread.

  // An exception of `step` is passed to all who wait for a token.
  template <typename Step>
  void step_or_finish(Step step) noexcept {
    run_or_fail(step, [this](const Result<void>& done) { finish(done); });
  }

  void ask() {
    auto request = [this] {
      const Lock lock(mutex_);
      return make_token_request(*challenge_, settings_);
    }();
    if (!request) return finish(request.error());
    const Time asked = settings_.now();
    std::unique_ptr<http::Call> old;  // destroyed after the lock is released
    const Lock lock(mutex_);
    if (closed_) return;
    old = std::exchange(
        call_, http::send_document(
                   client_, std::move(*request),
                   [weak = weak_from_this(), asked](const Result<http::WholeAnswer>& answer) {
                     const auto self = weak.lock();
                     if (self == nullptr) return;
                     self->step_or_finish([&] { self->take(answer, asked); });
                   }));
  }

  void take(const Result<http::WholeAnswer>& answer, Time asked) {
    if (!answer) return finish(answer.error());
    const auto token = read_token(*answer, settings_);
    if (!token) return finish(token.error());
    {
      const Lock lock(mutex_);
      value_ = "Bearer " + token->value;
      expires_at_ = asked + token->lifetime;
      const std::chrono::seconds margin(std::min<std::int64_t>(30, token->lifetime.count() / 5));
      renew_at_ = expires_at_ - margin;
    }
    finish({});
  }

  void finish(const Result<void>& outcome) {
    std::vector<Done> waiters;
    {
      const Lock lock(mutex_);
      renewing_ = false;
      std::swap(waiters, waiters_);
    }
    if (!outcome) log::debug("no token: {}", outcome.error().describe());
    // The authorizer may be destroyed in one of these calls.
    for (const Done& done : waiters) done(outcome);
  }

  http::Client& client_;
  const TokenSettings settings_;
  const http::Url registry_;

  Mutex mutex_;
  std::string value_ SHUNT_GUARDED_BY(mutex_);
  std::optional<http::Challenge> challenge_
      SHUNT_GUARDED_BY(mutex_);  // the challenge to answer with a token; empty: not Bearer
  Time renew_at_ SHUNT_GUARDED_BY(mutex_){};
  Time expires_at_ SHUNT_GUARDED_BY(mutex_){};
  bool renewing_ SHUNT_GUARDED_BY(mutex_) = false;
  bool closed_ SHUNT_GUARDED_BY(mutex_) = false;
  std::vector<Done> waiters_ SHUNT_GUARDED_BY(mutex_);
  std::unique_ptr<http::Call> call_ SHUNT_GUARDED_BY(mutex_);
};

class TokenAuthorizer final : public blob::Authorizer {
 public:
  TokenAuthorizer(std::shared_ptr<http::Client> client, TokenSettings settings, http::Url registry)
      : client_(std::move(client)),
        state_(std::make_shared<TokenState>(*client_, std::move(settings), std::move(registry))) {}
  ~TokenAuthorizer() override { state_->close(); }
  TokenAuthorizer(const TokenAuthorizer&) = delete;
  TokenAuthorizer& operator=(const TokenAuthorizer&) = delete;

  std::string sign(blob::Request& request) override { return state_->sign(request); }
  void renew(const blob::Request& request, const blob::Answer& answer, const std::string& used,
             Done done) override {
    state_->renew(request.url, answer, used, std::move(done));
  }

 private:
  std::shared_ptr<http::Client> client_;
  std::shared_ptr<TokenState> state_;
};

}  // namespace

Result<std::shared_ptr<blob::Authorizer>> make_token_authorizer(
    std::shared_ptr<http::Client> client, TokenSettings settings) {
  SHUNT_ASSIGN(http::Url registry, http::parse_url(settings.registry));
  return std::shared_ptr<blob::Authorizer>(std::make_shared<TokenAuthorizer>(
      std::move(client), std::move(settings), std::move(registry)));
}

}  // namespace shunt::oci
