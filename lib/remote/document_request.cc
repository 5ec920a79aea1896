#include "remote/document_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "base/catching.h"
#include "base/waiting.h"
#include "remote/curl_setup.h"
#include "remote/http_fields.h"
#include "remote/speed_watch.h"
#include "remote/url.h"

namespace shunt::remote {
namespace {

constexpr unsigned kMaxDocumentRedirects = 10;
constexpr unsigned kMaxDocumentRenewals = 2;
// Of the body of a refusal: enough for a message.
constexpr std::size_t kRefusalSize = std::size_t{16} << 10;

bool is_redirect(int status) {
  return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

bool is_worth_repeating(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

// Everything but construction and cancel() happens on the client's thread.
class DocumentJob final : public AnswerHandler, public std::enable_shared_from_this<DocumentJob> {
 public:
  DocumentJob(HttpClient& client, DocumentRequest request,
              std::function<void(Result<WholeAnswer>)> done)
      : client_(client),
        request_(std::move(request)),
        done_(std::move(done)),
        speed_(std::make_shared<SpeedWatch>(client.options().low_speed,
                                            client.options().stall_timeout)),
        random_(std::random_device{}()) {}

  void start() {
    client_.post([self = shared_from_this()] {
      self->step_or_end([&] {
        auto url = parse_url(self->request_.request.url);
        if (!url) return self->end(url.error());
        self->original_ = std::move(*url);
        self->url_ = self->original_;
        self->send(self->request_.request.delay);
      });
    });
  }

  // What is returned has to be destroyed: that waits for the handler, which may want the lock.
  [[nodiscard]] std::unique_ptr<Call> cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    return std::move(call_);
  }

  Result<void> answered(const Answer& answer) override {
    whole_.answer = answer;
    return {};
  }

  Result<void> body(std::span<const std::byte> bytes) override {
    const bool wanted = whole_.answer.status == 200;
    const std::size_t limit = wanted ? request_.limit : std::min(request_.limit, kRefusalSize);
    if (bytes.size() > limit - whole_.body.size()) {
      too_large_ = wanted;
      Error error;
      error.code = ErrorCode::kNetwork;
      error.path = show_url(url_.text);
      error.reason = "the answer is larger than it may be";
      return error;
    }
    whole_.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  void finished(Result<void> outcome) override {
    const auto self = shared_from_this();
    step_or_end([&] { go_on_from(outcome); });
  }

 private:
  // What `step` throws ends the request, so that nobody waits for it in vain.
  template <typename Step>
  void step_or_end(Step step) noexcept {
    const Result<void> done = catching([&]() -> Result<void> {
      step();
      return {};
    });
    if (done) return;
    (void)catching([&]() -> Result<void> {
      end(out_of_memory());
      return {};
    });
  }

  void go_on_from(const Result<void>& outcome) {
    const int status = whole_.answer.status;
    too_slow_ = !speed_->may_try_again();
    if (!outcome && !too_large_ && is_want_of_sockets(outcome.error().system_errno)) {
      return repeat(outcome.error());
    }
    if (!outcome && (outcome.error().code != ErrorCode::kNetwork || too_large_)) {
      return end(outcome.error());
    }
    if (!outcome && (status == 0 || status == 200)) return repeat(outcome.error());
    if (is_redirect(status) && request_.request.method == "GET") return redirect();
    if (status == 401 && request_.authorizer != nullptr && url_.same_origin(original_) &&
        renewals_++ < kMaxDocumentRenewals) {
      return renew();
    }
    if (is_worth_repeating(status)) return repeat(std::move(whole_));
    end(std::move(whole_));
  }

  void send(std::chrono::milliseconds delay) {
    Request request = request_.request;
    request.url = url_.text;
    request.delay = delay;
    request.speed = speed_;
    used_.clear();
    if (url_.same_origin(original_)) {
      request.fields.insert(request.fields.end(), request_.own_fields.begin(),
                            request_.own_fields.end());
      if (request_.authorizer != nullptr) used_ = request_.authorizer->authorization(url_.text);
      if (!used_.empty()) request.fields.push_back({"Authorization", used_});
    }
    whole_ = {};
    too_large_ = false;
    std::unique_ptr<Call> old;  // goes behind the lock
    const std::lock_guard lock(mutex_);
    if (cancelled_) return;
    if (request_.count != nullptr) ++request_.count->requests;
    old = std::exchange(call_, client_.send(std::move(request), *this));
  }

  void redirect() {
    const std::string* const location = whole_.answer.find("Location");
    if (location == nullptr) return end(std::move(whole_));
    auto next = resolve_url(url_, *location);
    if (!next) return end(next.error());
    if (++redirects_ > kMaxDocumentRedirects) return fail("redirects too often");
    if (url_.scheme == "https" && next->scheme == "http") {
      return fail("redirects from https to http");
    }
    url_ = std::move(*next);
    send({});
  }

  void renew() {
    const auto authorizer = request_.authorizer;  // end() lets go of it
    authorizer->renew(url_.text, whole_.answer, used_,
                      [weak = weak_from_this()](Result<void> outcome) {
                        const auto self = weak.lock();
                        if (self == nullptr) return;
                        self->step_or_end([&] {
                          if (!outcome) return self->end(outcome.error());
                          self->send({});
                        });
                      });
  }

  // After a while, from the start; `last` is the result when that has been tried often enough.
  void repeat(Result<WholeAnswer> last) {
    if (++failures_ >= request_.retry.attempts || too_slow_ ||
        (!last && is_lasting(last.error()))) {
      return end(std::move(last));
    }
    double seconds = request_.retry.first_delay;
    for (unsigned i = 1; i < failures_; ++i) seconds *= 2;
    seconds = std::min(seconds, request_.retry.longest_delay);
    seconds *= std::uniform_real_distribution<double>(0.5, 1)(random_);
    if (const std::string* const after = last ? last->answer.find("Retry-After") : nullptr) {
      const auto wished = parse_retry_after(*after, std::time(nullptr)).value_or(0);
      if (static_cast<double>(wished) > request_.retry.longest_delay) return end(std::move(last));
      seconds = std::max(seconds, static_cast<double>(wished));
    }
    if (request_.count != nullptr) ++request_.count->retries;
    waiting_.emplace(
        fmt::format("retry {}: {}", failures_,
                    last ? fmt::format("HTTP {}", last->answer.status) : last.error().reason));
    url_ = original_;
    redirects_ = 0;
    send(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  }

  void fail(const char* reason) {
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = show_url(url_.text);
    error.reason = reason;
    end(std::move(error));
  }

  void end(Result<WholeAnswer> result) {
    waiting_.reset();
    {
      const std::lock_guard lock(mutex_);
      if (cancelled_) return;
      cancelled_ = true;
    }
    // It may own the client, whose last owner should not be this thread: whoever waits for `done`
    // holds on to it still.
    request_.authorizer.reset();
    const auto done = std::exchange(done_, nullptr);
    done(std::move(result));
  }

  HttpClient& client_;
  DocumentRequest request_;
  std::function<void(Result<WholeAnswer>)> done_;
  const std::shared_ptr<SpeedWatch> speed_;
  std::minstd_rand random_;

  Url original_;
  Url url_;
  std::string used_;
  WholeAnswer whole_;
  bool too_large_ = false;
  bool too_slow_ = false;  // not for the first time
  unsigned redirects_ = 0;
  unsigned renewals_ = 0;
  unsigned failures_ = 0;
  std::optional<Waiting> waiting_;  // for a repeated request

  std::mutex mutex_;  // for the rest
  bool cancelled_ = false;
  std::unique_ptr<Call> call_;
};

class DocumentCall final : public Call {
 public:
  explicit DocumentCall(std::shared_ptr<DocumentJob> job) : job_(std::move(job)) {}
  ~DocumentCall() override { const auto call = job_->cancel(); }
  DocumentCall(const DocumentCall&) = delete;
  DocumentCall& operator=(const DocumentCall&) = delete;

 private:
  std::shared_ptr<DocumentJob> job_;
};

}  // namespace

std::unique_ptr<Call> send_document(HttpClient& client, DocumentRequest request,
                                    std::function<void(Result<WholeAnswer>)> done) {
  auto job = std::make_shared<DocumentJob>(client, std::move(request), std::move(done));
  job->start();
  return std::make_unique<DocumentCall>(std::move(job));
}

Result<WholeAnswer> get_document(HttpClient& client, DocumentRequest request) {
  auto promise = std::make_shared<std::promise<Result<WholeAnswer>>>();
  auto result = promise->get_future();
  const auto call = send_document(client, std::move(request), [promise](Result<WholeAnswer> whole) {
    promise->set_value(std::move(whole));
  });
  return result.get();
}

}  // namespace shunt::remote
