// One request for a blob until it succeeds: redirects, renewal of credentials, repetition after
// failures.
//
// Derived classes decide what is asked for and which answers are accepted: the first request of
// open_blob, the download of a range, the read of a body of unknown size.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "shunt/http/call_gate.h"
#include "shunt/http/client.h"
#include "shunt/http/fields.h"
#include "shunt/http/retry.h"
#include "shunt/http_blob/state.h"

namespace shunt::http_blob {

class BlobRequest : protected http::AnswerHandler,
                    public std::enable_shared_from_this<BlobRequest> {
 public:
  BlobRequest(http::Client& client, std::shared_ptr<BlobState> state);
  BlobRequest(const BlobRequest&) = delete;
  BlobRequest& operator=(const BlobRequest&) = delete;
  ~BlobRequest() override = default;

  // Thread-safe; called once. The client must live until ended(), or until cancel() has returned.
  void start();
  // Thread-safe. On return no hook is running and none will be called; within a hook it returns at
  // once.
  void cancel();
  // Calls room_to_take() again, after it was not enough. Thread-safe; does not block.
  void resume();

 protected:
  // The decision about an answer.
  struct Verdict {
    enum class Action {
      kTake,    // pass the body to take(), then call complete()
      kFail,    // final: repeating cannot help
      kRepeat,  // may succeed when repeated
    };
    Action action = Action::kTake;
    Error error;
  };
  static Verdict accept() { return {}; }
  static Verdict fail(Error error) { return {Verdict::Action::kFail, std::move(error)}; }
  static Verdict repeat(Error error) { return {Verdict::Action::kRepeat, std::move(error)}; }

  // Returns the part of the blob that a 206 holds: a single range of bytes. Otherwise the verdict.
  [[nodiscard]] tl::expected<http::ContentRange, Verdict> part_of(const http::Answer& answer) const;
  // The verdict on a 206 whose Content-Range is not the range `asked` for.
  [[nodiscard]] Verdict another_part(const http::Answer& answer, ByteRange asked) const;

  // The verdict on a 206 whose Content-Length does not match its Content-Range.
  [[nodiscard]] Verdict another_length(std::uint64_t length, std::uint64_t asked) const;

  // ---- the hooks, called on the client's thread with no lock held
  // Adds the range and conditions to the request.
  virtual void describe(http::Request& request) = 0;
  // Judges an answer with status 200, 206, 304 or 416.
  virtual Verdict judge(const http::Answer& answer) = 0;
  // As http::AnswerHandler::room(), for take(). After too little, resume() must be called once there
  // is more.
  [[nodiscard]] virtual std::uint64_t room_to_take(std::uint64_t /*wanted*/) { return UINT64_MAX; }
  // Receives bytes of an accepted body. An error is final.
  virtual Result<void> take(std::span<const std::byte> bytes) = 0;
  // Called at the end of the body. An error leads to another attempt.
  virtual Result<void> complete() = 0;
  // Returns true if another attempt can help.
  [[nodiscard]] virtual bool may_repeat() const { return true; }
  // The last call.
  virtual void ended(Result<void> outcome) = 0;

  [[nodiscard]] BlobState& state() { return *state_; }
  // Called in take(): everything wanted has come; the rest of the body is not needed.
  void enough() { enough_ = true; }
  // Called in take(): new bytes have come, which resets the counts of attempts.
  void note_progress();
  // Called in complete(): the answer was valid but not all; the rest is requested. Not a failure.
  void go_on() { go_on_ = true; }
  // Called in judge(): repeat at once without counting a failure, a bounded number of times.
  void repeat_at_once() { at_once_ = true; }

 private:
  // What to do when the current answer has ended.
  enum class Next { kComplete, kRedirect, kRenew, kResolveAgain, kRepeat, kFail };

  Result<void> answered(const http::Answer& answer) override;
  [[nodiscard]] std::uint64_t room(std::uint64_t wanted) override;
  Result<void> body(std::span<const std::byte> bytes) override;
  void finished(Result<void> outcome) override;

  void go_on_from(Result<void> outcome);
  void send_after(std::chrono::milliseconds delay, bool retry);
  void judge_success(const http::Answer& answer);
  void judge_redirect(const http::Answer& answer);
  void judge_refusal(const http::Answer& answer);
  void judge_overload(const http::Answer& answer);
  void set_next(Next next, Error error = {});
  void renew();
  void repeat_later();
  void end(Result<void> outcome);
  // Runs `step` on the client's thread. An exception ends the request, so that nobody waits in
  // vain.
  template <typename Step>
  void step_or_end(Step step) noexcept;
  void measure(std::size_t bytes);
  // Runs `hook` unless the request was cancelled; cancel() waits for its end.
  template <typename Hook>
  bool guarded(Hook hook);

  http::Client& client_;
  const std::shared_ptr<BlobState> state_;

  http::CallGate calls_;  // guards the hooks

  // Used by the client's thread only.
  std::unique_ptr<http::Call> call_;
  bool over_ = false;
  http::Url url_;                   // of the current request
  blob::Request sent_;              // the current request
  BlobState::Signature signature_;  // of the current request
  http::Answer answer_;             // the 401 answer, for the authorizer
  Next next_ = Next::kFail;
  std::optional<Error> error_;  // the error for kRepeat and kFail
  bool final_error_ = false;    // a hook failed: do not repeat
  bool enough_ = false;
  bool at_once_ = false;
  bool go_on_ = false;
  std::uint64_t discarded_ = 0;
  std::optional<std::int64_t> retry_after_;
  http::Attempts attempts_;
  bool resolved_again_ = false;  // reset when new bytes come

  // For the speed of the current body.
  std::chrono::steady_clock::time_point measured_from_{};
  std::uint64_t measured_bytes_ = 0;
};

}  // namespace shunt::http_blob
