#include "support/boxes.h"

#include <charconv>
#include <stdexcept>
#include <string>

namespace shunt::test {

Blob raw_header(std::uint64_t size, std::string_view type) {
  if (type.size() != 4) throw std::logic_error("a box type has four characters");
  return Blob().u32(size).text(type);
}

Blob make_box(Header header, std::string_view type, const Blob& payload) {
  Blob out;
  switch (header) {
    case Header::k32:
      out = raw_header(payload.size() + 8, type);
      break;
    case Header::k64:
      out = raw_header(1, type).u64(payload.size() + 16);
      break;
    case Header::kToEnd:
      out = raw_header(0, type);
      break;
  }
  return out.append(payload);
}

Blob from_hex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != '-') digits += c;
  }
  Blob out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    out.u8(value);
  }
  return out;
}

Blob noise(std::uint32_t seed, std::uint32_t index, std::uint64_t size) {
  std::uint64_t state = std::uint64_t{seed} << 32U | index;
  std::vector<std::byte> data(size);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i % 8 == 0) {  // splitmix64
      word = state += 0x9e3779b97f4a7c15U;
      word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
      word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
      word ^= word >> 31U;
    }
    data[i] = static_cast<std::byte>(word >> (8 * (i % 8)));
  }
  return Blob().bytes(data);
}

Blob ftyp(std::string_view major) {
  return box("ftyp", Blob().text(major).u32(0x200).text(major).text("mp41"));
}

Blob free_box(std::uint64_t size, std::string_view type) {
  return box(type, Blob().zeros(size - 8));
}

}  // namespace shunt::test
