// One thing that is asked of a blob until it is there: the request, its redirects, the renewal of
// what it is authorised with, and its repetition after a failure.
//
// What is asked for, and which answer will do, is up to those that derive from this: the first
// request of open_blob, the download of a range, the reading of a body of unknown size.
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

  // From any thread, once. The client has to live until ended(), or until cancel() has returned.
  void start();
  // From any thread. Once it has returned, no hook runs or comes; within one it returns at once.
  void cancel();
  // From any thread, after take_ready() was false: asks again. Does not block.
  void resume();

 protected:
  // What to do with an answer.
  struct Verdict {
    enum class Action {
      kTake,    // the body goes to take(), then complete() is asked
      kFail,    // this will not become better
      kRepeat,  // this may have been bad luck
    };
    Action action = Action::kTake;
    Error error;
  };
  static Verdict accept() { return {}; }
  static Verdict fail(Error error) { return {Verdict::Action::kFail, std::move(error)}; }
  static Verdict repeat(Error error) { return {Verdict::Action::kRepeat, std::move(error)}; }

  // Which part of the blob a 206 says it holds: one part, of bytes. Otherwise what to do about it.
  [[nodiscard]] tl::expected<http::ContentRange, Verdict> part_of(const http::Answer& answer) const;
  // For a 206, with its Content-Range, that holds another part than was `asked` for.
  [[nodiscard]] Verdict another_part(const http::Answer& answer, ByteRange asked) const;

  // For a 206 whose Content-Length does not go with its Content-Range.
  [[nodiscard]] Verdict another_length(std::uint64_t length, std::uint64_t asked) const;

  // ---- the hooks, on the client's thread, with no lock held
  // Adds range and conditions to the request.
  virtual void describe(http::Request& request) = 0;
  // An answer of status 200, 206, 304 or 416.
  virtual Verdict judge(const http::Answer& answer) = 0;
  // Whether take() can have so many bytes now; if not, whoever said so calls resume() later.
  [[nodiscard]] virtual bool take_ready(std::size_t /*bytes*/) { return true; }
  // Bytes of a body that was accepted. An error is final.
  virtual Result<void> take(std::span<const std::byte> bytes) = 0;
  // The body has ended: is that all? An error is tried again.
  virtual Result<void> complete() = 0;
  // Whether asking again can do any good.
  [[nodiscard]] virtual bool may_repeat() const { return true; }
  // The last call.
  virtual void ended(Result<void> outcome) = 0;

  [[nodiscard]] BlobState& state() { return *state_; }
  // From take(): all that was wanted is here, the rest of the body is not needed.
  void enough() { enough_ = true; }
  // From take(): something new has come, patience starts afresh.
  void note_progress();
  // From complete(): the answer was right but not all; ask for the rest. Not a failure.
  void go_on() { go_on_ = true; }
  // From judge(): repeat at once, without counting it as a failure (but bounded all the same).
  void repeat_at_once() { at_once_ = true; }

 private:
  // What follows once the present answer has ended.
  enum class Next { kComplete, kRedirect, kRenew, kResolveAgain, kRepeat, kFail };

  Result<void> answered(const http::Answer& answer) override;
  [[nodiscard]] bool ready(std::size_t bytes) override;
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
  // Runs `step`, on the client's thread; what it throws ends the request, so that nobody waits for
  // it in vain.
  template <typename Step>
  void step_or_end(Step step) noexcept;
  void measure(std::size_t bytes);
  // Runs `hook` unless the request has been cancelled; cancel() waits for its end.
  template <typename Hook>
  bool guarded(Hook hook);

  http::Client& client_;
  const std::shared_ptr<BlobState> state_;

  http::CallGate calls_;  // of the hooks

  // Of the client's thread alone.
  std::unique_ptr<http::Call> call_;
  bool over_ = false;
  http::Url url_;                   // of the request under way
  blob::Request sent_;              // the request under way
  BlobState::Signature signature_;  // of it
  http::Answer answer_;             // of 401, for the authorizer
  Next next_ = Next::kFail;
  std::optional<Error> error_;  // what kRepeat and kFail are about
  bool final_error_ = false;    // a hook failed: not to be repeated
  bool enough_ = false;
  bool at_once_ = false;
  bool go_on_ = false;
  std::uint64_t discarded_ = 0;
  std::optional<std::int64_t> retry_after_;
  http::Attempts attempts_;
  bool resolved_again_ = false;  // since something new has come

  // The speed of the body under way.
  std::chrono::steady_clock::time_point measured_from_{};
  std::uint64_t measured_bytes_ = 0;
};

}  // namespace shunt::http_blob
