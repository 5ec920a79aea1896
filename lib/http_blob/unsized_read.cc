#include "shunt/http_blob/unsized_read.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/http_blob/validator.h"

namespace shunt::http_blob {

BlobRequest::Verdict UnsizedRead::judge(const http::Answer& answer) {
  if (answer.status != 200) {
    return fail(state().error(
        fmt::format("the server answers a request for all of it with status {}", answer.status)));
  }
  if (is_encoded(answer)) {
    return fail(state().error("the server sends it compressed without being asked"));
  }
  return accept();
}

Result<void> UnsizedRead::take(std::span<const std::byte> bytes) {
  bytes = bytes.first(
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), most_ - position_)));
  state().count_bytes(bytes.size());
  const std::uint64_t offset = position_;
  position_ += bytes.size();
  if (position_ == most_) enough();
  return receiver_.receive(offset, bytes);
}

void UnsizedRead::ended(Result<void> outcome) {
  receiver_.finished(outcome);
  outcome_later_.set_value(std::move(outcome));
}

}  // namespace shunt::http_blob
