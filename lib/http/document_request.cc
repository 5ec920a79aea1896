#include "shunt/http/document_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "shunt/base/catching.h"
#include "shunt/base/mutex.h"
#include "shunt/http/url.h"

namespace shunt::http {
namespace {

// A document is small, so that no token expires on the way; a server that refuses two tokens in a
// row will refuse the third.
constexpr unsigned kMaxDocumentRenewals = 2;
// How much of a refusal's body is kept: enough for a message.
constexpr std::size_t kRefusalSize = std::size_t{16} << 10;

// Everything except construction and cancel() runs on the client's thread.
class DocumentJob final : public AnswerHandler, public std::enable_shared_from_this<DocumentJob> {
 public:
  DocumentJob(Client& client, DocumentRequest request,
              std::function<void(Result<WholeAnswer>)> done)
      : client_(client),
        request_(std::move(request)),
        done_(std::move(done)),
        attempts_(request_.retry, client.options(), kMaxDocumentRenewals) {}

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

  // The caller destroys the returned Call without the lock: that waits for the handler, which may
  // need the lock.
  [[nodiscard]] std::unique_ptr<Call> cancel() {
    const Lock lock(mutex_);
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
  // An exception of `step` ends the request, so that nobody waits in vain.
  template <typename Step>
  void step_or_end(Step step) noexcept {
    run_or_fail(step, [this](const Result<void>& done) { end(done.error()); });
  }

  void go_on_from(const Result<void>& outcome) {
    const int status = whole_.answer.status;
    attempts_.note_end();
    if (!outcome && !too_large_ && is_want_of_sockets(outcome.error().system_errno)) {
      return repeat(outcome.error());
    }
    if (!outcome && (outcome.error().code != ErrorCode::kNetwork || too_large_)) {
      return end(outcome.error());
    }
    if (!outcome && (status == 0 || status == 200)) return repeat(outcome.error());
    if (is_redirect(status) && request_.request.method == "GET") return redirect();
    if (status == 401 && request_.authorizer != nullptr && url_.same_origin(original_) &&
        attempts_.may_renew(used_)) {
      return renew();
    }
    if (is_worth_repeating(status)) return repeat(std::move(whole_));
    end(std::move(whole_));
  }

  void send(std::chrono::milliseconds delay) {
    Request request = request_.request;
    request.url = url_.text;
    request.delay = delay;
    request.speed = attempts_.speed();
    used_.clear();
    if (url_.same_origin(original_)) {
      request.fields.insert(request.fields.end(), request_.own_fields.begin(),
                            request_.own_fields.end());
      if (request_.authorizer != nullptr) used_ = request_.authorizer->sign(request);
    }
    sent_ = request;
    whole_ = {};
    too_large_ = false;
    std::unique_ptr<Call> old;  // destroyed after the lock is released
    const Lock lock(mutex_);
    if (cancelled_) return;
    if (request_.count != nullptr) ++request_.count->requests;
    old = std::exchange(call_, client_.send(std::move(request), *this));
  }

  void redirect() {
    const std::string* const location = whole_.answer.find("Location");
    if (location == nullptr) return end(std::move(whole_));
    auto next = resolve_url(url_, *location);
    if (!next) return end(next.error());
    if (!attempts_.may_redirect()) return fail("redirects too often");
    if (url_.scheme == "https" && next->scheme == "http") {
      return fail("redirects from https to http");
    }
    url_ = std::move(*next);
    send({});
  }

  void renew() {
    const auto authorizer = request_.authorizer;  // keeps it alive: end() releases it
    authorizer->renew(sent_, whole_.answer, used_, [weak = weak_from_this()](Result<void> outcome) {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->step_or_end([&] {
        if (!outcome) return self->end(outcome.error());
        self->send({});
      });
    });
  }

  // Repeats the request after a pause; `last` is the result if there were enough attempts.
  void repeat(Result<WholeAnswer> last) {
    Error error;
    if (last) {
      error.code = ErrorCode::kNetwork;
      error.reason = fmt::format("HTTP {}", last->answer.status);
    } else {
      error = last.error();
    }
    const auto pause =
        attempts_.pause_after(std::move(error), last ? retry_after(last->answer) : std::nullopt);
    if (!pause) return end(std::move(last));
    if (request_.count != nullptr) ++request_.count->retries;
    url_ = original_;
    send(*pause);
  }

  void fail(const char* reason) {
    Error error;
    error.code = ErrorCode::kNetwork;
    error.path = show_url(url_.text);
    error.reason = reason;
    end(std::move(error));
  }

  void end(Result<WholeAnswer> result) {
    attempts_.finish();
    {
      const Lock lock(mutex_);
      if (cancelled_) return;
      cancelled_ = true;
    }
    // The authorizer may own the client, whose last owner should not be this thread: the caller who
    // waits for `done` still holds the client.
    request_.authorizer.reset();
    const auto done = std::exchange(done_, nullptr);
    done(std::move(result));
  }

  Client& client_;
  DocumentRequest request_;
  std::function<void(Result<WholeAnswer>)> done_;
  Attempts attempts_;

  Url original_;
  Url url_;
  blob::Request sent_;
  std::string used_;  // of the request that was sent; see Authorizer::sign
  WholeAnswer whole_;
  bool too_large_ = false;

  Mutex mutex_;
  bool cancelled_ SHUNT_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Call> call_ SHUNT_GUARDED_BY(mutex_);
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

std::unique_ptr<Call> send_document(Client& client, DocumentRequest request,
                                    std::function<void(Result<WholeAnswer>)> done) {
  auto job = std::make_shared<DocumentJob>(client, std::move(request), std::move(done));
  job->start();
  return std::make_unique<DocumentCall>(std::move(job));
}

Result<WholeAnswer> get_document(Client& client, DocumentRequest request) {
  auto promise = std::make_shared<std::promise<Result<WholeAnswer>>>();
  auto result = promise->get_future();
  const auto call = send_document(client, std::move(request), [promise](Result<WholeAnswer> whole) {
    promise->set_value(std::move(whole));
  });
  return result.get();
}

}  // namespace shunt::http
