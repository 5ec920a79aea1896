#include "shunt/boxes/box.h"

#include <fmt/format.h>

#include "shunt/base/big_endian.h"

namespace shunt::boxes {
namespace {

char byte_of(std::uint32_t code, int index) {
  return static_cast<char>(code >> (24 - 8 * index) & 0xff);
}

bool printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}

}  // namespace

bool BoxType::plausible() const {
  for (int i = 0; i < 4; ++i) {
    const char c = byte_of(code_, i);
    if (!printable(c) && !(i == 0 && static_cast<unsigned char>(c) == 0xa9)) return false;
  }
  return true;
}

std::string BoxType::text() const {
  std::string text;
  for (int i = 0; i < 4; ++i) {
    const char c = byte_of(code_, i);
    text += printable(c) ? std::string(1, c) : fmt::format("\\x{:02x}", c & 0xff);
  }
  return text;
}

Error bad_box(const Box& box, std::string_view why) {
  return corrupt(fmt::format("box '{}': {}", box.type.text(), why), box.range.begin);
}

Result<Box> read_box(io::BufferedReader& reader, std::uint64_t at, ByteRange parent) {
  Box box;
  box.range = {at, parent.end};
  if (parent.end - at < 8) return corrupt("too few bytes left for a box header", at);
  SHUNT_ASSIGN(auto header, reader.view(at, 8));
  std::uint64_t size = load_be<std::uint32_t>(header.data());
  box.type = BoxType(load_be<std::uint32_t>(header.data() + 4));
  if (size == 1) {
    box.header_size = 16;
    if (parent.end - at < 16) return bad_box(box, "its 64-bit size is truncated");
    SHUNT_ASSIGN(header, reader.view(at, 16));
    size = load_be<std::uint64_t>(header.data() + 8);
  } else if (size == 0) {
    box.size_is_zero = true;
    size = parent.end - at;
  }
  if (size < box.header_size) {
    return bad_box(box, fmt::format("its size of {} is smaller than its header", size));
  }
  if (size > parent.end - at) {
    return bad_box(
        box, fmt::format("its size is {} bytes, but only {} are left", size, parent.end - at));
  }
  box.range.end = at + size;
  return box;
}

Result<std::span<const std::byte>> view_payload(io::BufferedReader& reader, const Box& box,
                                                std::uint64_t offset, std::size_t size) {
  const ByteRange payload = box.payload();
  if (offset > payload.size() || payload.size() - offset < size) {
    return bad_box(box, "it is too short for its content");
  }
  return reader.view(payload.begin + offset, size);
}

Result<VersionAndFlags> read_version_and_flags(io::BufferedReader& reader, const Box& box) {
  SHUNT_ASSIGN(const auto bytes, view_payload(reader, box, 0, 4));
  const auto word = load_be<std::uint32_t>(bytes.data());
  return VersionAndFlags{static_cast<std::uint8_t>(word >> 24), word & 0xffffff};
}

}  // namespace shunt::boxes
