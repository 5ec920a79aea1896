#include "shunt/http/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/http/fields.h"
#include "shunt/http/speed_watch.h"

namespace shunt::http {

bool is_redirect(int status) {
  return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

bool is_worth_repeating(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::optional<std::int64_t> retry_after(const Answer& answer) {
  const std::string* const value = answer.find("Retry-After");
  if (value == nullptr) return std::nullopt;
  return parse_retry_after(*value, std::time(nullptr));
}

Attempts::Attempts(const RetryPolicy& policy, const ClientOptions& options, unsigned renewals)
    : policy_(policy),
      most_renewals_(renewals),
      speed_(std::make_shared<SpeedWatch>(options.low_speed, options.stall_timeout)),
      random_(std::random_device{}()) {}

void Attempts::note_progress() {
  failures_ = 0;
  redirects_ = 0;
  renewals_ = 0;
  repeats_at_once_ = 0;
  renewed_.reset();
  waiting_.reset();
}

bool Attempts::may_renew(const std::string& used) {
  if (renewed_ == used || ++renewals_ > most_renewals_) return false;
  renewed_ = used;
  return true;
}

void Attempts::note_end() {
  too_slow_ = !speed_->may_try_again();
}

Result<std::chrono::milliseconds> Attempts::pause_after(
    Error error, std::optional<std::int64_t> retry_after_seconds) {
  if (is_lasting(error) || too_slow_) return error;
  if (++failures_ >= policy_.attempts) {
    if (failures_ > 1) error.reason += fmt::format(" (tried {} times)", failures_);
    return error;
  }
  if (++resumes_ > kMaxResumes) {
    error.reason += fmt::format(" (resumed {} times already)", kMaxResumes);
    return error;
  }
  const double doubled =
      policy_.first_delay * static_cast<double>(1u << std::min(failures_ - 1, 20u));
  const double most = std::max(0.0, std::min(policy_.longest_delay, doubled));
  // Clients that were refused together should not come back together.
  double seconds = std::uniform_real_distribution<double>(most / 2, most)(random_);
  if (retry_after_seconds) {
    const auto asked = static_cast<double>(*retry_after_seconds);
    if (asked > policy_.longest_delay) {
      error.reason += fmt::format(", and asks to wait for {} s", *retry_after_seconds);
      error.hint = "run again later";
      return error;
    }
    seconds = std::max(seconds, asked);
  }
  log::debug("{}: {}; again in {:.2f} s", error.path, error.reason, seconds);
  waiting_.emplace(fmt::format("retry {}: {}", failures_, error.reason));
  redirects_ = 0;
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace shunt::http
