#include "remote/head_request.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "remote/http_fields.h"
#include "remote/validator.h"

namespace shunt::remote {

HeadRequest::HeadRequest(HttpClient& client, std::shared_ptr<BlobState> state_of_blob,
                         std::optional<BlobInfo> known)
    : BlobRequest(client, std::move(state_of_blob)),
      known_(std::move(known)),
      // Some servers refuse a range that goes beyond the end.
      asked_(std::clamp<std::uint64_t>(state().blob().size.value_or(kHeadSize), 1, kHeadSize)),
      head_wanted_(0) {}

void HeadRequest::describe(Request& request) {
  request.range = ByteRange{0, asked_};
  if (!known_) return;
  request.fields.push_back(
      {is_strong_etag(known_->validator) ? "If-None-Match" : "If-Modified-Since",
       known_->validator});
}

BlobRequest::Verdict HeadRequest::judge(const Answer& answer) {
  found_ = {};
  head_wanted_ = 0;
  if (answer.status == 304) return judge_unchanged(answer);
  if (answer.status == 416) return judge_unsatisfied(answer);
  if (is_encoded(answer)) {
    Error error = state().error("the server sends it compressed, though that was not asked for");
    error.hint = "places in it cannot be told then; download it with another program";
    return fail(std::move(error));
  }
  return answer.status == 206 ? judge_part(answer) : judge_whole(answer);
}

std::int64_t HeadRequest::freshness(const Answer& answer) {
  // What the user sends along may decide what comes, and who may see it. The key of a copy does not
  // tell with which fields it was got.
  return state().blob().fields.empty() ? freshness_of(answer) : 0;
}

// Size and validator are known: do they go with what was known before?
BlobRequest::Verdict HeadRequest::settle(const Answer& answer, std::uint64_t size) {
  const HttpBlob& blob = state().blob();
  if (blob.size && *blob.size != size) {
    return fail(
        state().error(fmt::format("it has {} bytes on the server instead of {}", size, *blob.size),
                      blob.digest.empty() ? ErrorCode::kNetwork : ErrorCode::kIntegrity));
  }
  found_.info.name = state().name();
  found_.info.digest = blob.digest;
  found_.info.validator = validator_of(answer);
  state().begin_version(answer);
  found_.info.size = size;
  found_.info.fresh_until = freshness(answer);
  found_.info.no_store = forbids_storing(answer);
  // Some servers take no notice of If-None-Match when they are asked for a range.
  found_.unchanged = known_ && known_->size == size && !known_->validator.empty() &&
                     known_->validator == found_.info.validator;
  return accept();
}

BlobRequest::Verdict HeadRequest::judge_part(const Answer& answer) {
  constexpr std::string_view kMultipart = "multipart/byteranges";
  const std::string* const type = answer.find("Content-Type");
  if (type != nullptr && strncasecmp(type->c_str(), kMultipart.data(), kMultipart.size()) == 0) {
    return fail(state().error("the server answers one range with several parts"));
  }
  const std::string* const field = answer.find("Content-Range");
  if (field == nullptr) {
    return repeat(state().error("a part without Content-Range", ErrorCode::kCorrupt));
  }
  const auto range = parse_content_range(*field);
  if (!range) return repeat(state().error(range.error().reason, ErrorCode::kCorrupt));
  const auto total = range->total ? range->total : state().blob().size;
  if (!total) {
    found_.unsized = true;
    return accept();
  }
  const ByteRange asked{0, std::min(asked_, *total)};
  const auto length = content_length(answer);
  if (!range->range || *range->range != asked || (length && *length != asked.size())) {
    return repeat(state().error(fmt::format("Content-Range: \"{}\" to a request for bytes 0-{}",
                                            field->substr(0, 100), asked_ - 1),
                                ErrorCode::kCorrupt));
  }
  head_wanted_ = asked.size();
  return settle(answer, *total);
}

BlobRequest::Verdict HeadRequest::judge_whole(const Answer& answer) {
  state().note_no_ranges();
  const auto length = content_length(answer);
  const auto size = length ? length : state().blob().size;
  if (!size) {
    found_.unsized = true;
    return accept();
  }
  head_wanted_ = std::min(kHeadSize, *size);
  return settle(answer, *size);
}

BlobRequest::Verdict HeadRequest::judge_unsatisfied(const Answer& answer) {
  const std::string* const field = answer.find("Content-Range");
  const auto range =
      field == nullptr ? Result<ContentRange>(corrupt("nothing")) : parse_content_range(*field);
  if (range && range->total == std::uint64_t{0}) return settle(answer, 0);
  if (range && range->total && *range->total < asked_) {
    asked_ = *range->total;  // a server that refuses what goes beyond the end
    repeat_at_once();
  }
  return repeat(state().error(
      range && range->total
          ? fmt::format("the server refuses bytes 0-{} of {} (416)", asked_ - 1, *range->total)
          : fmt::format("the server refuses bytes 0-{} (416)", asked_ - 1)));
}

BlobRequest::Verdict HeadRequest::judge_unchanged(const Answer& answer) {
  if (!known_) return fail(state().error("the server says that nothing has changed since never"));
  found_.info = *known_;
  found_.info.fresh_until = freshness(answer);
  found_.info.no_store = forbids_storing(answer);
  found_.unchanged = true;
  return accept();
}

Result<void> HeadRequest::take(std::span<const std::byte> bytes) {
  const auto wanted = static_cast<std::size_t>(
      std::min<std::uint64_t>(bytes.size(), head_wanted_ - found_.head.size()));
  state().count_bytes(wanted);
  found_.head.insert(found_.head.end(), bytes.begin(), bytes.begin() + static_cast<long>(wanted));
  // More is to come, of a server that sends the whole: that is for later, and for ranges of it. Or
  // it is a body that nobody wants, like the text of a 416; it may be endless.
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

}  // namespace shunt::remote
