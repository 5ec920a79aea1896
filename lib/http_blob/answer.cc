// How a BlobRequest reacts to an answer: take it, follow a redirect, repeat, or give up.
#include <fmt/format.h>

#include <utility>

#include "shunt/http_blob/request.h"
#include "shunt/text/ascii.h"

namespace shunt::http_blob {

namespace {

std::string describe_status(int status) {
  switch (status) {
    case 400:
      return "bad request (400)";
    case 401:
      return "credentials required (401)";
    case 403:
      return "forbidden (403)";
    case 404:
      return "not found (404)";
    case 410:
      return "gone (410)";
    case 429:
      return "too many requests (429)";
    case 503:
      return "service unavailable (503)";
    default:
      return fmt::format("the server answers with status {}", status);
  }
}

}  // namespace

tl::expected<http::ContentRange, BlobRequest::Verdict> BlobRequest::part_of(
    const http::Answer& answer) const {
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
  const auto range = http::parse_content_range(*field);
  if (range) return *range;
  return tl::unexpected(repeat(state_->error(range.error().reason, ErrorCode::kCorrupt)));
}

BlobRequest::Verdict BlobRequest::another_part(const http::Answer& answer, ByteRange asked) const {
  return repeat(state_->error(
      fmt::format("Content-Range: \"{}\" to a request for bytes {}-{}",
                  answer.find("Content-Range")->substr(0, 100), asked.begin, asked.end - 1),
      ErrorCode::kCorrupt));
}

BlobRequest::Verdict BlobRequest::another_length(std::uint64_t length, std::uint64_t asked) const {
  return repeat(state_->error(fmt::format("a body of {} bytes for a request of {}", length, asked),
                              ErrorCode::kCorrupt));
}

Result<void> BlobRequest::answered(const http::Answer& answer) {
  const int status = answer.status;
  if (status == 200 || status == 206 || status == 304 || status == 416) {
    judge_success(answer);
  } else if (http::is_redirect(status)) {
    judge_redirect(answer);
  } else if (http::is_worth_repeating(status)) {
    judge_overload(answer);
  } else if (status == 400 || status == 401 || status == 403 || status == 404 || status == 410) {
    judge_refusal(answer);
  } else {
    set_next(Next::kFail, state_->error(describe_status(status)));
  }
  return {};
}

void BlobRequest::judge_success(const http::Answer& answer) {
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

void BlobRequest::judge_redirect(const http::Answer& answer) {
  const std::string* const location = answer.find("Location");
  if (location == nullptr) {
    return set_next(Next::kFail, state_->error("the server redirects without a target"));
  }
  if (!attempts_.may_redirect()) {
    return set_next(Next::kFail, state_->error("too many redirects"));
  }
  auto target = http::resolve_url(url_, *location);
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

void BlobRequest::judge_refusal(const http::Answer& answer) {
  Error error = state_->error(describe_status(answer.status));
  // Redirects lead to URLs whose signature expires.
  const bool redirected = url_.text != state_->original().text;
  if (answer.status == 401 && signature_.renewable &&
      (url_.same_origin(state_->original()) || !signature_.used.empty())) {
    if (attempts_.may_renew(signature_.used)) {
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

void BlobRequest::judge_overload(const http::Answer& answer) {
  retry_after_ = http::retry_after(answer);
  set_next(Next::kRepeat, state_->error(describe_status(answer.status)));
}

}  // namespace shunt::http_blob
