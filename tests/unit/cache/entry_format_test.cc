// The bytes of an entry: what was encoded comes back, and nothing else gets through.
#include "shunt/cache/entry_format.h"

#include <xxhash.h>

#include <array>
#include <cstring>
#include <limits>

#include "support/catch.h"

namespace shunt::cache {
namespace {

EntryHeader example() {
  EntryHeader header;
  header.size = 1'000'000;
  header.identity = "https://example.org/film.mp4";
  header.source = "film";
  header.validator = "\"abc\"";
  return header;
}

// Sets the checksum right again, as somebody would who makes a header on purpose.
void seal_header(std::vector<std::byte>& bytes) {
  const std::uint64_t digest = XXH3_64bits(bytes.data(), bytes.size() - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &digest, 8);
}

template <typename T>
void poke(std::vector<std::byte>& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  seal_header(bytes);
}

ErrorCode refusal(std::span<const std::byte> bytes) {
  const auto header = decode_header(bytes);
  REQUIRE_FALSE(header);
  return header.error().code;
}

TEST_CASE("entry format: a header comes back as it was") {
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{4000}, std::size_t{20'000}}) {
    EntryHeader header = example();
    header.source.assign(length, 's');
    const auto bytes = encode_header(header);
    REQUIRE(bytes);
    CHECK(bytes->size() == header.header_size);
    CHECK(header.header_size % 4096 == 0);
    CHECK(decode_header_size(std::span(*bytes).first(4096)).value() == bytes->size());
    const auto back = decode_header(*bytes);
    REQUIRE(back);
    CHECK(back->size == header.size);
    CHECK(back->block_size == header.block_size);
    CHECK(back->header_size == header.header_size);
    CHECK(back->identity == header.identity);
    CHECK(back->source == header.source);
    CHECK(back->validator == header.validator);
  }
  EntryHeader header = example();
  header.source.assign(kMaxHeaderSize, 's');
  const auto bytes = encode_header(header);
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("entry format: parts do not overlap, and data begins at a block") {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, kDefaultBlockSize, kDefaultBlockSize + 1,
        std::uint64_t{1} << 30, kMaxBlocks * kMaxBlockSize - 1}) {
    EntryHeader header = example();
    header.size = size;
    header.block_size = block_size_for(size).value();
    REQUIRE(encode_header(header));
    CHECK(header.blocks() <= kMaxBlocks);
    CHECK(header.records_begin() >= header.state_begin() + kStateSize);
    CHECK(header.data_begin() >= header.records_begin() + header.blocks() * kRecordSize);
    CHECK(header.data_begin() % header.block_size == 0);
    CHECK(header.file_size() == header.data_begin() + size);
  }
}

TEST_CASE("entry format: large blobs get larger blocks") {
  CHECK(block_size_for(0) == kDefaultBlockSize);
  CHECK(block_size_for(kMaxBlocks * kDefaultBlockSize - 1) == kDefaultBlockSize);
  CHECK(block_size_for(kMaxBlocks * kDefaultBlockSize) == 2 * kDefaultBlockSize);
  CHECK(block_size_for(kMaxBlocks * kMaxBlockSize - 1) == kMaxBlockSize);
  CHECK(block_size_for(kMaxBlocks * kMaxBlockSize) == std::nullopt);
  CHECK(block_size_for(std::numeric_limits<std::uint64_t>::max()) == std::nullopt);
}

TEST_CASE("entry format: a header with any byte changed is refused") {
  EntryHeader header = example();
  const auto good = encode_header(header).value();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto bytes = good;
      bytes[at] ^= std::byte(flip);
      const auto back = decode_header(bytes);
      if (back) FAIL("byte " << at << " may be anything");
      if (back.error().code != ErrorCode::kCorrupt) FAIL("byte " << at);
    }
  }
}

TEST_CASE("entry format: a header that is cut short is refused") {
  EntryHeader header = example();
  header.source.assign(5000, 's');
  const auto good = encode_header(header).value();
  REQUIRE(good.size() == 8192);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{4095}, std::size_t{4096}, good.size() - 1}) {
    CHECK(refusal(std::span(good).first(length)) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("entry format: a right checksum does not make absurd sizes right") {
  EntryHeader header = example();
  const auto good = encode_header(header).value();
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  const auto with = [&](std::size_t at, auto value) {
    auto bytes = good;
    poke(bytes, at, value);
    return bytes;
  };
  CHECK(refusal(with(8, std::uint32_t{1})) == ErrorCode::kCorrupt);   // version
  CHECK(refusal(with(12, std::uint32_t{0})) == ErrorCode::kCorrupt);  // header size
  CHECK(refusal(with(12, std::uint32_t{4095})) == ErrorCode::kCorrupt);
  CHECK(refusal(with(12, std::uint32_t{8192})) == ErrorCode::kCorrupt);
  CHECK(refusal(with(12, 0xfffff000U)) == ErrorCode::kCorrupt);
  CHECK(refusal(with(16, kHuge)) == ErrorCode::kCorrupt);  // size of the blob
  CHECK(refusal(with(16, kMaxBlocks * kDefaultBlockSize)) == ErrorCode::kCorrupt);
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2048},
                                   std::uint64_t{65535}, 2 * kMaxBlockSize, kHuge}) {
    CHECK(refusal(with(24, size)) == ErrorCode::kCorrupt);  // block size
  }
  for (const std::size_t at : {32U, 36U, 40U, 44U}) {  // lengths of the texts
    CHECK(refusal(with(at, std::uint32_t{4096})) == ErrorCode::kCorrupt);
    CHECK(refusal(with(at, std::numeric_limits<std::uint32_t>::max())) == ErrorCode::kCorrupt);
  }
  CHECK(decode_header(with(16, kMaxBlocks * kDefaultBlockSize - 1)));
}

TEST_CASE("entry format: a state comes back; a damaged one is the empty one") {
  for (const EntryState state :
       {EntryState{}, EntryState{true, false, {}}, EntryState{false, true, {-5, -7}},
        EntryState{true, true, {1'800'000'000, 3'600}, 77}}) {
    const auto good = encode_state(state);
    REQUIRE(good.size() == kStateSize);
    const EntryState back = decode_state(good);
    CHECK(back.sealed == state.sealed);
    CHECK(back.discarded == state.discarded);
    CHECK(back.freshness == state.freshness);
    CHECK(back.seal_sum == state.seal_sum);
    for (std::size_t at = 0; at < good.size(); ++at) {
      auto bytes = good;
      bytes[at] ^= std::byte{0x01};
      const EntryState damaged = decode_state(bytes);
      CHECK_FALSE(damaged.sealed);
      CHECK_FALSE(damaged.discarded);
      CHECK(damaged.freshness == blob::Freshness{});
    }
    CHECK_FALSE(decode_state(std::span(good).first(kStateSize - 1)).sealed);
  }
  CHECK_FALSE(decode_state(std::vector<std::byte>(kStateSize)).sealed);
}

TEST_CASE("entry format: a record comes back; zeros are a block that is not there") {
  std::array<std::byte, kRecordSize> bytes{};
  CHECK(decode_record(bytes).checksum == 0);
  encode_record({0x0123456789abcdefU, 0xfedcba9876543210U}, bytes);
  const BlockRecord back = decode_record(bytes);
  CHECK(back.checksum == 0x0123456789abcdefU);
  CHECK(back.tag == 0xfedcba9876543210U);
}

TEST_CASE("entry format: trust is of one boot and one file") {
  const std::uint64_t tag = trust_tag("boot", {1, 2, 3});
  CHECK(tag == trust_tag("boot", {1, 2, 3}));
  CHECK(tag != trust_tag("boat", {1, 2, 3}));
  CHECK(tag != trust_tag("boot", {2, 2, 3}));
  CHECK(tag != trust_tag("boot", {1, 3, 3}));
  CHECK(tag != trust_tag("boot", {2, 1, 3}));
  CHECK(tag != trust_tag("boot", {1, 2, 4}));
  CHECK(tag != 0);
  const std::string id = boot_id();
  CHECK_FALSE(id.empty());
  CHECK(boot_id() == id);
  {
    const BootIdOverride other("other");
    CHECK(boot_id() == "other");
  }
  CHECK(boot_id() == id);
}

TEST_CASE("entry format: a block's checksum sees a change, and is never that of an absent one") {
  std::vector<std::byte> bytes(4096);
  const std::uint64_t zeros = block_checksum(bytes);
  CHECK(zeros != 0);
  bytes[4095] = std::byte{1};
  CHECK(block_checksum(bytes) != zeros);
  CHECK(block_checksum(std::span(bytes).first(4095)) != zeros);
  CHECK(block_checksum({}) != 0);
}

}  // namespace
}  // namespace shunt::cache
