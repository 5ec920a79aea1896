// Policy of repetition: how often and after which pauses a failed request is repeated, which
// answers are worth repeating, and how often redirects and refusals are followed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "shunt/base/result.h"
#include "shunt/base/waiting.h"
#include "shunt/http/client.h"

namespace shunt::http {

class SpeedWatch;

struct RetryPolicy {
  unsigned attempts = 6;      // in a row without a new byte, including the first
  double first_delay = 0.25;  // seconds; doubles, with jitter
  double longest_delay = 20;  // seconds; also the longest Retry-After that is obeyed
};

// Returns true if repeating the request cannot help: its error is an untrusted certificate.
[[nodiscard]] bool is_lasting(const Error& error);

// Returns true if `number`, an errno of socket(2), says that too many files are open in the process
// or the system. Later there may be room.
[[nodiscard]] bool is_want_of_sockets(int number);

// Returns true if `status` is a redirect (RFC 9110, 15.4).
[[nodiscard]] bool is_redirect(int status);
// Returns true if the same request may succeed a little later.
[[nodiscard]] bool is_worth_repeating(int status);
// Returns Retry-After of an answer, in seconds from now.
[[nodiscard]] std::optional<std::int64_t> retry_after(const Answer& answer);

// Counts the attempts at one thing, such as a range of a blob or a document. One thread at a time.
class Attempts {
 public:
  // Limits without progress in between, against servers that go round in circles.
  static constexpr unsigned kMaxRedirects = 10;
  static constexpr unsigned kMaxRenewals = 5;
  static constexpr unsigned kMaxRepeatsAtOnce = 2;
  // Limit in all, whatever has arrived.
  static constexpr unsigned kMaxResumes = 100;

  // `renewals` limits renewals of credentials in a row.
  Attempts(const RetryPolicy& policy, const ClientOptions& options,
           unsigned renewals = kMaxRenewals);

  // Shared by all attempts; passed in each Request.
  [[nodiscard]] const std::shared_ptr<SpeedWatch>& speed() const { return speed_; }

  // Something new has arrived: resets the counts.
  void note_progress();

  // Each counts one and returns whether it is within the limit.
  [[nodiscard]] bool may_redirect() { return ++redirects_ <= kMaxRedirects; }
  // `used` is what Authorizer::sign() returned for the refused request. Credentials that were
  // renewed and refused again are not renewed once more.
  [[nodiscard]] bool may_renew(const std::string& used);
  // For a repetition without a pause that does not count as a failure.
  [[nodiscard]] bool may_repeat_at_once() { return ++repeats_at_once_ <= kMaxRepeatsAtOnce; }

  // The next request goes to the original URL again.
  void start_over() { redirects_ = 0; }

  // An attempt has ended with `error`. Returns the pause before the next one, during which a wait
  // is shown; or the final error, which says how many attempts were made.
  [[nodiscard]] Result<std::chrono::milliseconds> pause_after(
      Error error, std::optional<std::int64_t> retry_after_seconds);
  // Number of failures in a row.
  [[nodiscard]] unsigned failures() const { return failures_; }

  // Call when an attempt ends, for any reason: records whether it was too slow.
  void note_end();

  // Call when no attempt follows.
  void finish() { waiting_.reset(); }

 private:
  const RetryPolicy policy_;
  const unsigned most_renewals_;
  const std::shared_ptr<SpeedWatch> speed_;
  std::minstd_rand random_;
  unsigned failures_ = 0;
  unsigned redirects_ = 0;
  unsigned renewals_ = 0;
  unsigned repeats_at_once_ = 0;
  std::optional<std::string> renewed_;  // credentials that were refused and then renewed
  unsigned resumes_ = 0;
  bool too_slow_ = false;           // too slow more than once
  std::optional<Waiting> waiting_;  // shown while a repeated request has brought nothing
};

}  // namespace shunt::http
