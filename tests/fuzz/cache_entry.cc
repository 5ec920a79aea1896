// The header and the state of a cache entry from anywhere: refused, or with sizes that fit together
// and texts that encode to the same.
#include <xxhash.h>

#include <cstring>

#include "fuzz/require.h"
#include "shunt/base/checked.h"
#include "shunt/cache/entry_format.h"

namespace {

using namespace shunt;
using fuzz::require;

void try_header(std::vector<std::byte> bytes) {
  // A checksum that is right lets the fuzzer reach what lies behind it.
  if (bytes.size() >= 16) {
    bytes.resize(round_up(bytes.size(), 4096));
    const auto size = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(bytes.data(), "shuntblb\1\0\0\0", 12);
    std::memcpy(bytes.data() + 12, &size, 4);
    const std::uint64_t digest = XXH3_64bits(bytes.data(), bytes.size() - 8);
    std::memcpy(bytes.data() + bytes.size() - 8, &digest, 8);
  }
  auto header = cache::decode_header(bytes);
  if (!header) return;
  require(header->blocks() <= cache::kMaxBlocks);
  require(header->header_size == bytes.size());
  require(header->state_begin() + cache::kStateSize <= header->records_begin());
  require(header->records_begin() + header->blocks() * cache::kRecordSize <= header->data_begin());
  require(header->data_begin() % header->block_size == 0);
  require(header->file_size() >= header->size);
  const cache::EntryHeader was = *header;
  const auto encoded = cache::encode_header(*header);
  require(encoded.has_value());
  const auto again = cache::decode_header(*encoded);
  require(again.has_value());
  require(again->size == was.size && again->block_size == was.block_size &&
          again->identity == was.identity && again->source == was.source &&
          again->validator == was.validator && again->place == was.place);
}

void try_state(std::vector<std::byte> bytes) {
  if (bytes.size() >= cache::kStateSize) {
    std::memcpy(bytes.data(), "shuntsta", 8);
    const std::uint64_t digest = XXH3_64bits(bytes.data(), cache::kStateSize - 8);
    std::memcpy(bytes.data() + cache::kStateSize - 8, &digest, 8);
  }
  const cache::EntryState state = cache::decode_state(bytes);
  const cache::EntryState again = cache::decode_state(cache::encode_state(state));
  require(again.sealed == state.sealed && again.discarded == state.discarded &&
          again.freshness == state.freshness);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > cache::kMaxHeaderSize) return 0;
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  const std::vector<std::byte> bytes(begin, begin + size);
  (void)cache::decode_header(bytes);
  try_header(bytes);
  try_state(bytes);
  return 0;
}
