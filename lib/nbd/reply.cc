#include "shunt/nbd/reply.h"

#include <algorithm>
#include <string_view>

namespace shunt::nbd {

namespace {

void append_simple(Bytes& replies, std::uint64_t cookie, std::uint32_t error) {
  append(replies, kSimpleReplyMagic);
  append(replies, error);
  append(replies, cookie);
}

void append_chunk_header(Bytes& replies, std::uint64_t cookie, Chunk type, std::uint16_t flags,
                         std::size_t size) {
  append(replies, kChunkMagic);
  append(replies, flags);
  append(replies, static_cast<std::uint16_t>(type));
  append(replies, cookie);
  append(replies, static_cast<std::uint32_t>(size));
}

// Returns at most kMostText bytes of it, cut at a UTF-8 character.
std::string_view cut_off(std::string_view text) {
  if (text.size() <= kMostText) return text;
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::uint32_t state_of(const Allocation& extent) {
  return (extent.hole ? kStateHole : 0) | (extent.zeros ? kStateZero : 0);
}

}  // namespace

void append_done(Bytes& replies, std::uint64_t cookie) {
  append_simple(replies, cookie, 0);
}

void append_failure(Bytes& replies, std::uint64_t cookie, const Failure& failure,
                    bool structured_replies) {
  const auto number = static_cast<std::uint32_t>(failure.number);
  if (!structured_replies) return append_simple(replies, cookie, number);
  const std::string_view text = cut_off(failure.text);
  append_chunk_header(replies, cookie, Chunk::kError, kChunkDone, 6 + text.size());
  append(replies, number);
  append(replies, static_cast<std::uint16_t>(text.size()));
  append(replies, text);
}

void append_data_header(Bytes& replies, const Request& request, bool structured_replies) {
  if (!structured_replies) return append_simple(replies, request.cookie, 0);
  append_chunk_header(replies, request.cookie, Chunk::kOffsetData, 0,
                      sizeof request.offset + request.length);
  append(replies, request.offset);
}

void append_data_end(Bytes& replies, std::uint64_t cookie) {
  append_chunk_header(replies, cookie, Chunk::kNone, kChunkDone, 0);
}

void append_block_status(Bytes& replies, const Request& request,
                         const std::vector<Allocation>& found) {
  struct Descriptor {
    std::uint32_t size = 0;
    std::uint32_t state = 0;
  };
  std::vector<Descriptor> descriptors;
  std::uint32_t left = request.length;
  for (const Allocation& extent : found) {
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(extent.size, left));
    if (size == 0) continue;
    left -= size;
    if (!descriptors.empty() && descriptors.back().state == state_of(extent)) {
      descriptors.back().size += size;
    } else if (!descriptors.empty() && request.has(kFlagReqOne)) {
      break;
    } else {
      descriptors.push_back({size, state_of(extent)});
    }
  }
  // "Allocated, contents unknown" is always true.
  if (descriptors.empty()) descriptors.push_back({request.length, 0});
  append_chunk_header(replies, request.cookie, Chunk::kBlockStatus, kChunkDone,
                      sizeof kAllocationContext + 8 * descriptors.size());
  append(replies, kAllocationContext);
  for (const Descriptor& descriptor : descriptors) {
    append(replies, descriptor.size);
    append(replies, descriptor.state);
  }
}

}  // namespace shunt::nbd
