#include "shunt/nbd/channel.h"

#include <algorithm>
#include <cstring>

namespace shunt::nbd {

namespace {

// Capacity kept for the next reply; more than any reply except a long BLOCK_STATUS.
constexpr std::size_t kKeptCapacity = 8 << 10;

iovec vector_of(std::span<const std::byte> bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

}  // namespace

void Channel::consume(std::size_t size) {
  begin_ += size;
  if (begin_ == end_) begin_ = end_ = 0;
}

std::span<std::byte> Channel::room() {
  if (!inbox_) inbox_ = std::make_unique_for_overwrite<std::byte[]>(kInboxSize);
  if (begin_ > 0) {
    std::memmove(inbox_.get(), inbox_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {inbox_.get() + end_, kInboxSize - end_};
}

std::size_t Channel::receive(std::span<const iovec> into) {
  if (ended_) return 0;
  const Transport::Moved moved = transport_->receive(into);
  ended_ = moved.ended;
  received_total_ += moved.bytes;
  return moved.bytes;
}

bool Channel::receive() {
  const std::array<iovec, 1> into{vector_of(room())};
  if (into[0].iov_len == 0) return false;
  const std::size_t got = receive(into);
  end_ += got;
  return got > 0;
}

std::size_t Channel::receive_payload(std::span<std::byte> into) {
  std::size_t filled = std::min(into.size(), end_ - begin_);
  if (filled > 0) std::memcpy(into.data(), inbox_.get() + begin_, filled);
  consume(filled);
  // The inbox is empty now, or `into` is full.
  while (filled < into.size()) {
    const auto rest = into.subspan(filled);
    const std::array<iovec, 2> vectors{vector_of(rest), vector_of(room())};
    const std::size_t got = receive(vectors);
    if (got == 0) break;
    filled += std::min(got, rest.size());
    if (got > rest.size()) end_ += got - rest.size();
  }
  return filled;
}

std::size_t Channel::send_some(std::span<const iovec> from) {
  if (ended_) return 0;
  const Transport::Moved moved = transport_->send(from);
  ended_ = moved.ended;
  return moved.bytes;
}

bool Channel::flush() {
  if (!all_out()) static_cast<void>(send({}, {}));
  return all_out();
}

std::size_t Channel::send(std::span<const std::byte> data, std::span<const std::byte> after) {
  const auto before = std::span(replies_).subspan(sent_);
  const std::array<iovec, 3> vectors{vector_of(before), vector_of(data), vector_of(after)};
  std::size_t moved = send_some(vectors);
  const std::size_t of_replies = std::min(moved, before.size());
  moved -= of_replies;
  sent_ += of_replies;
  if (all_out()) {
    replies_.clear();
    sent_ = 0;
    if (replies_.capacity() > kKeptCapacity) replies_.shrink_to_fit();
  }
  const std::size_t of_data = std::min(moved, data.size());
  moved -= of_data;
  if (of_data == data.size() && moved < after.size()) {
    replies_.insert(replies_.end(), after.begin() + static_cast<std::ptrdiff_t>(moved),
                    after.end());
  }
  return of_data;
}

}  // namespace shunt::nbd
