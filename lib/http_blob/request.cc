#include "shunt/http_blob/request.h"

#include <fmt/format.h>

#include <utility>

#include "shunt/base/catching.h"

namespace shunt::http_blob {

namespace {

// A useless body up to this size is read to its end, to keep the connection.
constexpr std::uint64_t kMaxDiscarded = 64 << 10;
// Length and amount of a measurement of a connection's speed.
constexpr double kMeasureSeconds = 0.25;
constexpr std::uint64_t kMeasureBytes = 256 << 10;

// Returns true for local errors that repeating cannot help. A socket that could not be opened may
// be available once another connection has ended.
bool is_of_our_making(const Error& error) {
  return error.code == ErrorCode::kInterrupted ||
         (error.code == ErrorCode::kLocalIo && !http::is_want_of_sockets(error.system_errno));
}

}  // namespace

BlobRequest::BlobRequest(http::Client& client, std::shared_ptr<BlobState> state)
    : client_(client),
      state_(std::move(state)),
      attempts_(state_->blob().retry, client.options()) {}

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
  // If memory is exhausted, the request ends with the next byte of its answer.
  attempt([&] {
    client_.post([self = shared_from_this()] {
      self->over_ = true;
      self->call_.reset();
    });
  });
}

void BlobRequest::resume() {
  client_.post([self = shared_from_this()] {
    if (self->call_ != nullptr) self->call_->resume();
  });
}

template <typename Step>
void BlobRequest::step_or_end(Step step) noexcept {
  run_or_fail(step, [this](const Result<void>& done) {
    if (!over_) end(done);
  });
}

template <typename Hook>
bool BlobRequest::guarded(Hook hook) {
  return calls_.pass(hook);
}

void BlobRequest::note_progress() {
  attempts_.note_progress();
  resolved_again_ = false;
}

void BlobRequest::send_after(std::chrono::milliseconds delay, bool retry) {
  if (over_ || calls_.closed()) return;
  // Without an answer, the request is repeated.
  set_next(Next::kRepeat);
  final_error_ = false;
  enough_ = false;
  at_once_ = false;
  go_on_ = false;
  discarded_ = 0;
  measured_bytes_ = 0;
  retry_after_.reset();

  http::Request request;
  request.url = url_.text;
  request.fields = state_->own_fields(url_);
  request.delay = delay;
  request.speed = attempts_.speed();
  describe(request);
  signature_ = state_->sign(request);
  sent_ = request;
  state_->count_request(retry);
  call_ = client_.send(std::move(request), *this);
}

void BlobRequest::set_next(Next next, Error error) {
  next_ = next;
  error_.reset();
  if (!error.reason.empty()) error_ = std::move(error);
}

std::uint64_t BlobRequest::room(std::uint64_t wanted) {
  std::uint64_t room = UINT64_MAX;
  if (next_ != Next::kComplete) return room;  // bytes that are not taken need none
  guarded([&] { room = room_to_take(wanted); });
  return room;
}

Result<void> BlobRequest::body(std::span<const std::byte> bytes) {
  const auto self = shared_from_this();
  if (next_ != Next::kComplete) {
    discarded_ += bytes.size();
    if (discarded_ > kMaxDiscarded) return state_->error("the rest of the answer is not usable");
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
  attempts_.note_end();
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
      attempts_.start_over();
      url_ = state_->original();
      return send_after(std::chrono::milliseconds(0), false);
    case Next::kRepeat:
      if (!error_ && !outcome) error_ = std::move(outcome).error();
      if (!error_) error_ = state_->error("the server gave no answer");
      if (error_->code != ErrorCode::kNetwork && error_->code != ErrorCode::kCorrupt &&
          !http::is_want_of_sockets(error_->system_errno)) {
        return end(std::move(*error_));
      }
      if (at_once_ && attempts_.may_repeat_at_once()) {
        return send_after(std::chrono::milliseconds(0), false);
      }
      return repeat_later();
    case Next::kFail:
      return end(std::move(*error_));
  }
}

void BlobRequest::renew() {
  state_->blob().authorizer->renew(
      sent_, answer_, signature_.used, [weak = weak_from_this()](Result<void> outcome) {
        const auto self = weak.lock();
        if (!self || self->over_) return;
        self->step_or_end([&] {
          if (!outcome) return self->end(outcome.error().with_path(self->state_->name()));
          self->send_after(std::chrono::milliseconds(0), false);
        });
      });
}

void BlobRequest::repeat_later() {
  Error error = *error_;
  error.path = state_->name();
  if (!may_repeat()) return end(error.with_hint("it cannot be resumed; run again"));
  const auto pause = attempts_.pause_after(std::move(error), retry_after_);
  if (!pause) return end(pause.error());
  // The redirect target may be what fails.
  if (attempts_.failures() > 1) state_->forget_redirect(url_);
  url_ = state_->current();
  send_after(*pause, true);
}

void BlobRequest::end(Result<void> outcome) {
  over_ = true;
  attempts_.finish();
  call_.reset();
  guarded([&] { ended(std::move(outcome)); });
}

}  // namespace shunt::http_blob
