// A box: type, size and content (ISO/IEC 14496-12, 4.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::boxes {

// A four-character code, first character in the highest byte.
class BoxType {
 public:
  constexpr BoxType() = default;
  explicit constexpr BoxType(std::uint32_t code) : code_(code) {}
  // BoxType("moov")
  explicit consteval BoxType(const char (&text)[5])
      : code_(static_cast<std::uint32_t>(static_cast<unsigned char>(text[0])) << 24 |
              static_cast<std::uint32_t>(static_cast<unsigned char>(text[1])) << 16 |
              static_cast<std::uint32_t>(static_cast<unsigned char>(text[2])) << 8 |
              static_cast<std::uint32_t>(static_cast<unsigned char>(text[3]))) {}
  [[nodiscard]] constexpr std::uint32_t code() const { return code_; }
  // Returns true if it looks intentional: printable ASCII, or a leading copyright sign.
  [[nodiscard]] bool plausible() const;
  // For messages; non-printable bytes appear as \xNN.
  [[nodiscard]] std::string text() const;
  friend constexpr bool operator==(BoxType, BoxType) = default;

 private:
  std::uint32_t code_ = 0;
};

struct Box {
  BoxType type;
  ByteRange range;                // including the header
  std::uint32_t header_size = 8;  // 8, or 16 with a 64-bit size
  bool size_is_zero = false;      // extends to the end of its parent

  [[nodiscard]] ByteRange payload() const { return {range.begin + header_size, range.end}; }
  // Offset and width, in bytes, of the size field to change. A box with size_is_zero has none.
  [[nodiscard]] std::uint64_t size_field_at() const {
    return header_size == 16 ? range.begin + 8 : range.begin;
  }
  [[nodiscard]] std::uint32_t size_field_width() const { return header_size == 16 ? 8 : 4; }
};

// Reads the header of the box at `at` within `parent`. Returns kCorrupt, with the offset, if fewer
// than 8 bytes are left, the size is smaller than the header, or the box exceeds its parent.
[[nodiscard]] Result<Box> read_box(io::BufferedReader& reader, std::uint64_t at, ByteRange parent);

// The begin of a FullBox's payload (4.2).
struct VersionAndFlags {
  std::uint8_t version = 0;
  std::uint32_t flags = 0;
};
[[nodiscard]] Result<VersionAndFlags> read_version_and_flags(io::BufferedReader& reader,
                                                             const Box& box);

// Returns a kCorrupt error about `box`, with its offset.
[[nodiscard]] Error bad_box(const Box& box, std::string_view why);
// Returns `size` bytes at `offset` of the payload; kCorrupt if it is shorter. Valid until the
// reader's next call.
[[nodiscard]] Result<std::span<const std::byte>> view_payload(io::BufferedReader& reader,
                                                              const Box& box, std::uint64_t offset,
                                                              std::size_t size);

}  // namespace shunt::boxes
