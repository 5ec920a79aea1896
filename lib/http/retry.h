// How often, and after which pauses, a request that failed is repeated; which of its answers are
// worth it, and how often redirects and refusals are followed by another request.
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
  unsigned attempts = 6;      // in a row without one new byte, the first one included
  double first_delay = 0.25;  // seconds; doubles, with jitter
  double longest_delay = 20;  // also the most that Retry-After is obeyed for
};

// Whether an error of a request will not go away by asking again: a certificate that is not
// trusted.
[[nodiscard]] bool is_lasting(const Error& error);

// Whether an errno of socket(2) says that too many are open, here or on the whole machine: a little
// later there may be room.
[[nodiscard]] bool is_want_of_sockets(int number);

// Whether an answer of this status redirects the request (RFC 9110, 15.4).
[[nodiscard]] bool is_redirect(int status);
// Whether the same request may have another answer a little later.
[[nodiscard]] bool is_worth_repeating(int status);
// Retry-After of an answer, in seconds from now.
[[nodiscard]] std::optional<std::int64_t> retry_after(const Answer& answer);

// All attempts at one thing, such as a range of a blob or a document. Used by one thread at a time.
class Attempts {
 public:
  // Without something new in between: bounds for servers that go round in circles.
  static constexpr unsigned kMaxRedirects = 10;
  static constexpr unsigned kMaxRenewals = 5;
  static constexpr unsigned kMaxRepeatsAtOnce = 2;
  // In all, however much has come.
  static constexpr unsigned kMaxResumes = 100;

  // `renewals`: of credentials, in a row.
  Attempts(const RetryPolicy& policy, const ClientOptions& options,
           unsigned renewals = kMaxRenewals);

  // Of all attempts together; goes into each Request.
  [[nodiscard]] const std::shared_ptr<SpeedWatch>& speed() const { return speed_; }

  // Something new has come: the counts start again.
  void note_progress();

  // Each counts one more, and says whether it is followed.
  [[nodiscard]] bool may_redirect() { return ++redirects_ <= kMaxRedirects; }
  // `used` is what Authorizer::sign() has returned for the request that was refused. Credentials
  // that were renewed and are refused again are not renewed once more.
  [[nodiscard]] bool may_renew(const std::string& used);
  // Without a pause, and not counted as a failure.
  [[nodiscard]] bool may_repeat_at_once() { return ++repeats_at_once_ <= kMaxRepeatsAtOnce; }

  // The next request goes where the first one went.
  void start_over() { redirects_ = 0; }

  // An attempt has ended with `error`. Returns the pause before the next one, which is shown as a
  // wait; or the error to give up with, which says how often it was tried.
  [[nodiscard]] Result<std::chrono::milliseconds> pause_after(
      Error error, std::optional<std::int64_t> retry_after_seconds);
  // How many have failed in a row.
  [[nodiscard]] unsigned failures() const { return failures_; }

  // To be called when an attempt ends, however it does: notes whether it was too slow.
  void note_end();

  // No attempt follows.
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
  std::optional<std::string> renewed_;  // what was refused, and then renewed
  unsigned resumes_ = 0;
  bool too_slow_ = false;           // not for the first time
  std::optional<Waiting> waiting_;  // for a repeated request to bring something
};

}  // namespace shunt::http
