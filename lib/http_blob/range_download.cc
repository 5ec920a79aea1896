#include "shunt/http_blob/range_download.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/http/fields.h"
#include "shunt/http_blob/validator.h"

namespace shunt::http_blob {

namespace {

// A receiver always has room for this many bytes: a range of that length is never paused.
constexpr std::uint64_t kTakenAtOnce = std::uint64_t{256} << 10;

}  // namespace

RangeDownload::RangeDownload(http::Client& client, std::shared_ptr<BlobState> state_of_blob,
                             ByteRange wanted, blob::Receiver& receiver)
    : BlobRequest(client, std::move(state_of_blob)),
      wanted_(wanted),
      position_(wanted.begin),
      receiver_(receiver) {
  if (!state().versions_show()) prefix_check_.emplace(state().seen_chunks(), state().info().size);
}

void RangeDownload::describe(http::Request& request) {
  request.may_be_held = prefix_check_.has_value() || wanted_.end - position_ > kTakenAtOnce;
  if (prefix_check_) return;
  request.range = ByteRange{position_, wanted_.end};
  const blob::Info& info = state().info();
  // A digest identifies the version. Mirrors that serve such a blob may have different ETags.
  if (info.digest.empty() && !info.validator.empty()) {
    request.fields.push_back({"If-Range", info.validator});
  }
}

// Handles another size than the blob's. With a digest the size is fixed: the answer is wrong,
// perhaps a proxy's page, and what was kept stays valid. If the same size comes again it is no
// accident: the expected size was wrong.
BlobRequest::Verdict RangeDownload::other_size(std::uint64_t found, Error error) {
  if (state().info().digest.empty()) return fail(change());
  if (odd_size_ == found) return fail(std::move(error));
  odd_size_ = found;
  return repeat(std::move(error));
}

Error RangeDownload::change() {
  state().note_change();
  return state().error("it has changed on the server").with_hint("run again");
}

BlobRequest::Verdict RangeDownload::judge(const http::Answer& answer) {
  const blob::Info& info = state().info();
  if (info.digest.empty() && contradicts(answer, info.validator)) return fail(change());
  if (info.digest.empty() && info.validator.empty() && !state().same_version(answer)) {
    return fail(change());
  }
  if (prefix_check_ && answer.status != 200) {
    return fail(state().error(
        fmt::format("the server answers a request for all of it with status {}", answer.status)));
  }
  if (answer.status == 416) return judge_unsatisfied(answer);
  if (is_encoded(answer)) {
    return fail(state().error("the server sends it compressed without being asked"));
  }
  if (answer.status == 206) return judge_part(answer);
  if (answer.status == 200) return judge_whole(answer);
  return fail(state().error("the server answers a range with status 304"));
}

BlobRequest::Verdict RangeDownload::judge_part(const http::Answer& answer) {
  const auto range = part_of(answer);
  if (!range) return range.error();

  const std::uint64_t size = state().info().size;
  if (range->total && *range->total != size) {
    // With the same validator this is an error of the server, otherwise another version.
    const std::string& validator = state().info().validator;
    Error error = state().error(
        fmt::format("Content-Range: a total of {} instead of {} bytes", *range->total, size),
        ErrorCode::kCorrupt);
    if (!validator.empty() && validator_of(answer) == validator) return repeat(std::move(error));
    return other_size(*range->total, std::move(error));
  }
  const ByteRange asked{position_, wanted_.end};
  const auto length = answer.length;
  // A server may send less than requested (RFC 9110, 15.3.7), if it says so consistently.
  const bool prefix = range->range && range->total && range->range->begin == asked.begin &&
                      range->range->end < asked.end && length == range->range->size();
  if (!prefix && (!range->range || *range->range != asked)) {
    return another_part(answer, asked);
  }
  if (!prefix && length && *length != asked.size()) {
    return another_length(*length, asked.size());
  }
  coming_ = prefix ? *range->range : asked;
  at_ = asked.begin;
  return accept();
}

BlobRequest::Verdict RangeDownload::judge_whole(const http::Answer& answer) {
  const ByteRange whole{0, state().info().size};
  const auto length = answer.length;
  if (length && *length != whole.end) {
    return other_size(
        *length, state().error(fmt::format("the server sends {} bytes as the whole instead of {}",
                                           *length, whole.end)));
  }
  // After If-Range: this is another version, or a server without ranges. Only the validator shows
  // which.
  const blob::Info& info = state().info();
  if (info.digest.empty() && !info.validator.empty() && validator_of(answer) != info.validator) {
    return fail(change());
  }
  if (ByteRange{position_, wanted_.end} != whole) state().note_no_ranges();
  if (prefix_check_) prefix_check_->begin();
  // Nothing was delivered yet: deliver the whole blob.
  if (position_ == wanted_.begin) {
    wanted_ = whole;
    position_ = 0;
  }
  coming_ = whole;
  at_ = 0;
  return accept();
}

BlobRequest::Verdict RangeDownload::judge_unsatisfied(const http::Answer& answer) {
  const std::uint64_t size = state().info().size;
  const std::string* const field = answer.find("Content-Range");
  if (field != nullptr) {
    const auto range = http::parse_content_range(*field);
    if (range && range->total && *range->total != size) {
      if (!state().info().digest.empty()) {
        return other_size(
            *range->total,
            state().error(fmt::format("the server says (416) that it has {} bytes instead of {}",
                                      *range->total, size)));
      }
      state().note_change();
      Error error = state().error(fmt::format(
          "it has changed on the server: it has {} bytes now, and had {}", *range->total, size));
      error.hint = "run again";
      return fail(std::move(error));
    }
  }
  return fail(state().error(
      fmt::format("the server refuses bytes {}-{} of {} (416)", position_, wanted_.end - 1, size)));
}

std::uint64_t RangeDownload::room_to_take(std::uint64_t wanted) {
  // The receiver may already have the first bytes of the answer.
  const std::uint64_t known = position_ - at_;
  if (known >= wanted) return known;
  const std::uint64_t left = wanted_.end - position_;
  if (left == 0) return UINT64_MAX;
  const std::uint64_t needed = std::min(wanted - known, left);
  const std::uint64_t room = receiver_.room(position_, needed);
  // What comes behind the range is not for the receiver.
  return room >= left ? UINT64_MAX : known + room;
}

Result<void> RangeDownload::take(std::span<const std::byte> bytes) {
  state().count_bytes(bytes.size());
  if (bytes.size() > coming_.end - at_) {
    return state().error("the server sends more than it said", ErrorCode::kCorrupt);
  }
  if (prefix_check_ && !prefix_check_->take(bytes)) return change();
  if (at_ < position_) {  // delivered before this answer
    const auto known =
        static_cast<std::size_t>(std::min<std::uint64_t>(position_ - at_, bytes.size()));
    bytes = bytes.subspan(known);
    at_ += known;
  }
  bytes = bytes.first(
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), wanted_.end - position_)));
  if (bytes.empty()) return {};
  at_ += bytes.size();
  position_ += bytes.size();
  note_progress();
  if (position_ == wanted_.end && coming_.end > wanted_.end) enough();
  return receiver_.receive(position_ - bytes.size(), bytes);
}

Result<void> RangeDownload::complete() {
  if (position_ == wanted_.end) return {};
  if (position_ == coming_.end) {
    go_on();
    return {};
  }
  return state().error(fmt::format("the answer ended at byte {} instead of {}", at_, wanted_.end));
}

}  // namespace shunt::http_blob
