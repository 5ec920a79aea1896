#include "shunt/http_blob/head_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/http/fields.h"
#include "shunt/http_blob/validator.h"

namespace shunt::http_blob {

HeadRequest::HeadRequest(http::Client& client, std::shared_ptr<BlobState> state_of_blob,
                         std::optional<blob::Info> known)
    : BlobRequest(client, std::move(state_of_blob)),
      known_(std::move(known)),
      // Some servers refuse a range beyond the end.
      most_(std::clamp<std::uint64_t>(state().blob().size.value_or(kHeadSize), 1, kHeadSize)),
      asked_(most_),
      head_wanted_(0) {}

void HeadRequest::describe(http::Request& request) {
  const Result<http::Url> url = http::parse_url(request.url);
  place_ = url ? state().place_of(*url) : std::string();
  asked_ = most_;
  if (comparable()) {
    if (http::is_strong_etag(known_->validator)) {
      request.fields.push_back({"If-None-Match", known_->validator});
    } else {
      // If-Modified-Since asks whether the file is newer, but it may be replaced by an older one.
      // Comparing the answer to a request for one byte costs no more and is exact.
      asked_ = 1;
    }
  }
  request.range = ByteRange{0, asked_};
}

bool HeadRequest::comparable() const {
  return known_ && !known_->validator.empty() && known_->place == place_;
}

BlobRequest::Verdict HeadRequest::judge(const http::Answer& answer) {
  found_ = {};
  head_wanted_ = 0;
  if (answer.status == 304) return judge_unchanged(answer);
  if (answer.status == 416) return judge_unsatisfied(answer);
  if (is_encoded(answer)) {
    Error error = state().error("the server sends it compressed without being asked");
    error.hint = "its bytes then have other offsets; download it with another program";
    return fail(std::move(error));
  }
  return answer.status == 206 ? judge_part(answer) : judge_whole(answer);
}

blob::Freshness HeadRequest::freshness(const http::Answer& answer) {
  // With credentials, the server must decide each time who may see it.
  if (!asker_of(state().blob()).empty()) return {};
  const blob::Freshness own = freshness_of(answer);
  return state().redirects_freshness().value_or(own).and_also(own);
}

// Size and validator are known: compares them with what was known before.
BlobRequest::Verdict HeadRequest::settle(const http::Answer& answer, std::uint64_t size) {
  const HttpBlob& blob = state().blob();
  if (blob.size && *blob.size != size) {
    return fail(
        state().error(fmt::format("it has {} bytes on the server instead of {}", size, *blob.size),
                      blob.digest.empty() ? ErrorCode::kNetwork : ErrorCode::kCorrupt));
  }
  found_.info.name = state().name();
  found_.info.digest = blob.digest;
  found_.info.validator = validator_of(answer);
  state().begin_version(answer);
  found_.info.place = place_;
  found_.info.size = size;
  found_.info.freshness = freshness(answer);
  found_.info.no_store = forbids_storing(answer);
  // Some servers ignore If-None-Match in a request for a range.
  found_.unchanged =
      comparable() && known_->size == size && known_->validator == found_.info.validator;
  return accept();
}

BlobRequest::Verdict HeadRequest::judge_part(const http::Answer& answer) {
  const auto range = part_of(answer);
  if (!range) return range.error();
  const auto total = range->total ? range->total : state().blob().size;
  if (!total) {
    found_.unsized = true;
    return accept();
  }
  const ByteRange asked{0, std::min(asked_, *total)};
  const auto length = answer.length;
  if (!range->range || *range->range != asked) return another_part(answer, {0, asked_});
  if (length && *length != asked.size()) return another_length(*length, asked.size());
  head_wanted_ = asked.size();
  return settle(answer, *total);
}

BlobRequest::Verdict HeadRequest::judge_whole(const http::Answer& answer) {
  state().note_no_ranges();
  const auto length = answer.length;
  const auto size = length ? length : state().blob().size;
  if (!size) {
    found_.unsized = true;
    return accept();
  }
  head_wanted_ = std::min(kHeadSize, *size);
  return settle(answer, *size);
}

BlobRequest::Verdict HeadRequest::judge_unsatisfied(const http::Answer& answer) {
  const std::string* const field = answer.find("Content-Range");
  const auto range = field == nullptr ? Result<http::ContentRange>(corrupt("nothing"))
                                      : http::parse_content_range(*field);
  if (range && range->total == std::uint64_t{0}) return settle(answer, 0);
  const std::uint64_t refused = asked_;
  if (range && range->total && *range->total < asked_) {
    most_ = *range->total;  // the server refuses a range beyond the end
    repeat_at_once();
  }
  return repeat(state().error(
      range && range->total
          ? fmt::format("the server refuses bytes 0-{} of {} (416)", refused - 1, *range->total)
          : fmt::format("the server refuses bytes 0-{} (416)", refused - 1)));
}

BlobRequest::Verdict HeadRequest::judge_unchanged(const http::Answer& answer) {
  if (!known_) return fail(state().error("the server sent 304 to an unconditional request"));
  // The condition was about an ETag.
  if (!comparable() || !http::is_strong_etag(known_->validator) ||
      contradicts(answer, known_->validator)) {
    // The answer is about another version. Repeats the request as if nothing were known.
    known_.reset();
    repeat_at_once();
    return repeat(
        state().error("the server says that nothing has changed, but sends another version"));
  }
  found_.info = *known_;
  found_.info.freshness = freshness(answer);
  found_.info.no_store = forbids_storing(answer);
  found_.unchanged = true;
  return accept();
}

Result<void> HeadRequest::take(std::span<const std::byte> bytes) {
  const auto wanted = static_cast<std::size_t>(
      std::min<std::uint64_t>(bytes.size(), head_wanted_ - found_.head.size()));
  state().count_bytes(wanted);
  found_.head.insert(found_.head.end(), bytes.begin(), bytes.begin() + static_cast<long>(wanted));
  // More bytes are coming. Either the server sends the whole blob, which will be requested in
  // ranges later; or it is a body that is not needed, such as the text of a 416, and may be
  // endless.
  const bool all = found_.head.size() == head_wanted_;
  const bool surplus = wanted < bytes.size();
  if (surplus || (all && (found_.unsized || found_.info.size > head_wanted_))) enough();
  return {};
}

Result<void> HeadRequest::complete() {
  if (found_.head.size() == head_wanted_) return {};
  return state().error(
      fmt::format("the answer ended at byte {} instead of {}", found_.head.size(), head_wanted_));
}

void HeadRequest::ended(Result<void> outcome) {
  if (outcome) {
    found_later_.set_value(std::move(found_));
  } else {
    found_later_.set_value(std::move(outcome).error());
  }
}

}  // namespace shunt::http_blob
