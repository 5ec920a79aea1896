#include "remote/blob_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/catching.h"
#include "base/log.h"
#include "remote/curl_setup.h"

namespace shunt::remote {

namespace {

constexpr unsigned kMaxRepeatsAtOnce = 2;
constexpr unsigned kMaxResumes = 100;
// The body of an answer that is of no use is read to its end, for the connection's sake, unless it
// is longer than this.
constexpr std::uint64_t kMaxDiscarded = 64 << 10;
// How long and how much is measured for the speed of a connection.
constexpr double kMeasureSeconds = 0.25;
constexpr std::uint64_t kMeasureBytes = 256 << 10;

// No server has part in it, and asking again mends it no more. A socket that could not be had may
// be had once another connection has ended.
bool is_of_our_making(const Error& error) {
  return error.code == ErrorCode::kInterrupted ||
         (error.code == ErrorCode::kLocalIo && !is_want_of_sockets(error.system_errno));
}

}  // namespace

BlobRequest::BlobRequest(HttpClient& client, std::shared_ptr<BlobState> state)
    : client_(client),
      state_(std::move(state)),
      speed_(
          std::make_shared<SpeedWatch>(client.options().low_speed, client.options().stall_timeout)),
      random_(std::random_device{}()) {}

void BlobRequest::start() {
  client_.post([self = shared_from_this()] {
    self->step_or_end([&] {
      self->url_ = self->state_->current();
      self->send_after(std::chrono::milliseconds(0), false);
    });
  });
}

void BlobRequest::cancel() {
  calls_.close();
  // Without memory for it, the request ends with the next byte of its answer.
  (void)catching([&]() -> Result<void> {
    client_.post([self = shared_from_this()] {
      self->over_ = true;
      self->call_.reset();
    });
    return {};
  });
}

template <typename Step>
void BlobRequest::step_or_end(Step step) noexcept {
  Result<void> done = catching([&]() -> Result<void> {
    step();
    return {};
  });
  if (done || over_) return;
  (void)catching([&]() -> Result<void> {
    end(std::move(done));
    return {};
  });
}

template <typename Hook>
bool BlobRequest::guarded(Hook hook) {
  return calls_.pass(hook);
}

void BlobRequest::note_progress() {
  failures_ = 0;
  redirects_ = 0;
  renewals_ = 0;
  repeats_at_once_ = 0;
  waiting_.reset();
  resolved_again_ = false;
  has_renewed_ = false;
}

void BlobRequest::send_after(std::chrono::milliseconds delay, bool retry) {
  if (over_ || calls_.closed()) return;
  identity_ = state_->identity_for(url_);
  // Without an answer, it is to be repeated.
  set_next(Next::kRepeat);
  final_error_ = false;
  enough_ = false;
  at_once_ = false;
  go_on_ = false;
  discarded_ = 0;
  measured_bytes_ = 0;
  retry_after_.reset();

  Request request;
  request.url = url_.text;
  request.fields = identity_.fields;
  request.delay = delay;
  request.speed = speed_;
  describe(request);
  state_->count_request(retry);
  call_ = client_.send(std::move(request), *this);
}

void BlobRequest::set_next(Next next, Error error) {
  next_ = next;
  error_.reset();
  if (!error.reason.empty()) error_ = std::move(error);
}

Result<void> BlobRequest::body(std::span<const std::byte> bytes) {
  const auto self = shared_from_this();
  if (next_ != Next::kComplete) {
    discarded_ += bytes.size();
    if (discarded_ > kMaxDiscarded) return state_->error("the rest of the answer is of no use");
    return {};
  }
  measure(bytes.size());
  Result<void> taken;
  if (!guarded([&] { taken = take(bytes); })) return state_->error("cancelled");
  if (!taken) {
    final_error_ = true;
    error_ = taken.error();
    return taken;
  }
  if (enough_) return state_->error("the rest of the answer is not needed");
  return {};
}

void BlobRequest::measure(std::size_t bytes) {
  measured_bytes_ += bytes;
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - measured_from_).count();
  if (seconds < kMeasureSeconds) return;
  state_->note_rate(static_cast<double>(measured_bytes_) / seconds);
  measured_from_ = now;
  measured_bytes_ = 0;
}

void BlobRequest::finished(Result<void> outcome) {
  const auto self = shared_from_this();
  step_or_end([&] { go_on_from(std::move(outcome)); });
}

void BlobRequest::go_on_from(Result<void> outcome) {
  call_.reset();
  too_slow_ = !speed_->may_try_again();
  if (over_ || calls_.closed()) return;
  if (final_error_) return end(std::move(*error_));
  if (!outcome && is_of_our_making(outcome.error())) return end(std::move(outcome));
  if (measured_bytes_ >= kMeasureBytes) {
    const auto took = std::chrono::steady_clock::now() - measured_from_;
    const double seconds = std::chrono::duration<double>(took).count();
    if (seconds > 0) state_->note_rate(static_cast<double>(measured_bytes_) / seconds);
  }
  switch (next_) {
    case Next::kComplete: {
      if (outcome || enough_) outcome = complete();
      if (outcome && go_on_) return send_after(std::chrono::milliseconds(0), false);
      if (outcome) return end({});
      error_ = std::move(outcome).error();
      return repeat_later();
    }
    case Next::kRedirect:
      return send_after(std::chrono::milliseconds(0), false);
    case Next::kRenew:
      return renew();
    case Next::kResolveAgain:
      resolved_again_ = true;
      state_->forget_redirect(url_);
      redirects_ = 0;
      url_ = state_->original();
      return send_after(std::chrono::milliseconds(0), false);
    case Next::kRepeat:
      if (!error_ && !outcome) error_ = std::move(outcome).error();
      if (!error_) error_ = state_->error("the server gave no answer");
      if (error_->code != ErrorCode::kNetwork && error_->code != ErrorCode::kCorrupt &&
          !is_want_of_sockets(error_->system_errno)) {
        return end(std::move(*error_));
      }
      if (at_once_ && ++repeats_at_once_ <= kMaxRepeatsAtOnce) {
        return send_after(std::chrono::milliseconds(0), false);
      }
      return repeat_later();
    case Next::kFail:
      return end(std::move(*error_));
  }
}

void BlobRequest::renew() {
  has_renewed_ = true;
  renewed_for_ = identity_.authorization;
  state_->blob().authorizer->renew(
      url_.text, answer_, renewed_for_, [weak = weak_from_this()](Result<void> outcome) {
        const auto self = weak.lock();
        if (!self || self->over_) return;
        self->step_or_end([&] {
          if (!outcome) return self->end(outcome.error().with_path(self->state_->name()));
          self->send_after(std::chrono::milliseconds(0), false);
        });
      });
}

void BlobRequest::repeat_later() {
  const RetryPolicy& policy = state_->blob().retry;
  Error error = *error_;
  error.path = state_->name();
  if (!may_repeat()) return end(error.with_hint("it cannot be resumed; run again"));
  if (is_lasting(error) || too_slow_) return end(std::move(error));
  if (++failures_ >= policy.attempts) {
    if (failures_ > 1) error.reason += fmt::format(" (tried {} times)", failures_);
    return end(std::move(error));
  }
  if (++resumes_ > kMaxResumes) {
    error.reason += fmt::format(" (resumed {} times already)", kMaxResumes);
    return end(std::move(error));
  }
  // What redirects led to may be what does not work.
  if (failures_ > 1) state_->forget_redirect(url_);

  const double most =
      std::min(policy.longest_delay,
               policy.first_delay * static_cast<double>(1u << std::min(failures_ - 1, 20u)));
  double delay = std::uniform_real_distribution<double>(0, std::max(0.0, most))(random_);
  if (retry_after_) {
    const auto asked = static_cast<double>(*retry_after_);
    if (asked > policy.longest_delay) {
      error.reason += fmt::format(", and asks to wait for {} s", *retry_after_);
      error.hint = "run again later";
      return end(std::move(error));
    }
    delay = std::max(delay, asked);
  }
  log::debug("{}: {}; again in {:.2f} s", state_->name(), error.reason, delay);
  waiting_.emplace(fmt::format("retry {}: {}", failures_, error.reason));
  redirects_ = 0;
  url_ = state_->current();
  send_after(std::chrono::milliseconds(static_cast<std::int64_t>(delay * 1000)), true);
}

void BlobRequest::end(Result<void> outcome) {
  over_ = true;
  waiting_.reset();
  call_.reset();
  guarded([&] { ended(std::move(outcome)); });
}

}  // namespace shunt::remote
