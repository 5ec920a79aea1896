// What a BlobRequest makes of an answer: take it, go elsewhere, ask again, or give up.
#include <fmt/format.h>

#include <ctime>
#include <utility>

#include "base/ascii.h"
#include "remote/blob_request.h"

namespace shunt::remote {

namespace {

constexpr unsigned kMaxRedirects = 10;
constexpr unsigned kMaxRenewals = 5;

std::string describe_status(int status) {
  switch (status) {
    case 400:
      return "the server does not understand the request (400)";
    case 401:
      return "the server wants credentials (401)";
    case 403:
      return "the server forbids it (403)";
    case 404:
      return "there is no such thing on the server (404)";
    case 410:
      return "it is gone from the server (410)";
    case 429:
      return "the server says that these are too many requests (429)";
    case 503:
      return "the server is not available at present (503)";
    default:
      return fmt::format("the server answers with status {}", status);
  }
}

}  // namespace

tl::expected<ContentRange, BlobRequest::Verdict> BlobRequest::part_of(const Answer& answer) const {
  constexpr std::string_view kMultipart = "multipart/byteranges";
  const std::string* const type = answer.find("Content-Type");
  if (type != nullptr &&
      ascii::equal_ignoring_case(type->substr(0, kMultipart.size()), kMultipart)) {
    return tl::unexpected(fail(state_->error("the server answers one range with several parts")));
  }
  const std::string* const field = answer.find("Content-Range");
  if (field == nullptr) {
    return tl::unexpected(
        repeat(state_->error("a part without Content-Range", ErrorCode::kCorrupt)));
  }
  const auto range = parse_content_range(*field);
  if (range) return *range;
  return tl::unexpected(repeat(state_->error(range.error().reason, ErrorCode::kCorrupt)));
}

BlobRequest::Verdict BlobRequest::another_part(const Answer& answer, ByteRange asked) const {
  return repeat(state_->error(
      fmt::format("Content-Range: \"{}\" to a request for bytes {}-{}",
                  answer.find("Content-Range")->substr(0, 100), asked.begin, asked.end - 1),
      ErrorCode::kCorrupt));
}

BlobRequest::Verdict BlobRequest::another_length(std::uint64_t length, std::uint64_t asked) const {
  return repeat(state_->error(fmt::format("a body of {} bytes to a request for {}", length, asked),
                              ErrorCode::kCorrupt));
}

Result<void> BlobRequest::answered(const Answer& answer) {
  switch (answer.status) {
    case 200:
    case 206:
    case 304:
    case 416:
      judge_success(answer);
      break;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      judge_redirect(answer);
      break;
    case 400:
    case 401:
    case 403:
    case 404:
    case 410:
      judge_refusal(answer);
      break;
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      judge_overload(answer);
      break;
    default:
      set_next(Next::kFail, state_->error(describe_status(answer.status)));
  }
  return {};
}

void BlobRequest::judge_success(const Answer& answer) {
  state_->note_latency(answer.seconds);
  Verdict verdict = judge(answer);
  switch (verdict.action) {
    case Verdict::Action::kTake:
      set_next(Next::kComplete);
      if (answer.status == 200 || answer.status == 206) state_->count_data_request();
      if (url_.text != state_->original().text) state_->keep_redirect(url_);
      measured_from_ = std::chrono::steady_clock::now();
      break;
    case Verdict::Action::kFail:
      set_next(Next::kFail, std::move(verdict.error));
      break;
    case Verdict::Action::kRepeat:
      set_next(Next::kRepeat, std::move(verdict.error));
      break;
  }
}

void BlobRequest::judge_redirect(const Answer& answer) {
  const std::string* const location = answer.find("Location");
  if (location == nullptr) {
    return set_next(Next::kFail, state_->error("the server redirects to nowhere"));
  }
  if (++redirects_ > kMaxRedirects) {
    return set_next(Next::kFail, state_->error("the server redirects again and again"));
  }
  auto target = resolve_url(url_, *location);
  if (!target) {
    Error error = std::move(target).error();
    error.path = state_->name();
    return set_next(Next::kFail, std::move(error));
  }
  if (url_.scheme == "https" && target->scheme != "https") {
    return set_next(
        Next::kFail,
        state_->error("the server redirects from https to http, which is not followed"));
  }
  state_->note_redirect(answer);
  url_ = std::move(*target);
  set_next(Next::kRedirect);
}

void BlobRequest::judge_refusal(const Answer& answer) {
  Error error = state_->error(describe_status(answer.status));
  // Redirects lead to addresses that are signed for a while.
  const bool redirected = url_.text != state_->original().text;
  if (answer.status == 401 && identity_.renewable &&
      (url_.same_origin(state_->original()) || !identity_.authorization.empty())) {
    const bool refused_again = has_renewed_ && renewed_for_ == identity_.authorization;
    if (!refused_again && ++renewals_ <= kMaxRenewals) {
      answer_ = answer;
      return set_next(Next::kRenew);
    }
  } else if (redirected && !resolved_again_) {
    return set_next(Next::kResolveAgain);
  }
  if (answer.status == 401) {
    error.hint =
        "give credentials with --header 'Authorization: ...', in the URL, or with --authfile";
  }
  set_next(Next::kFail, std::move(error));
}

void BlobRequest::judge_overload(const Answer& answer) {
  if (const std::string* const value = answer.find("Retry-After")) {
    retry_after_ = parse_retry_after(*value, std::time(nullptr));
  }
  set_next(Next::kRepeat, state_->error(describe_status(answer.status)));
}

}  // namespace shunt::remote
