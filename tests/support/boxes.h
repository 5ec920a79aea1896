// Boxes: size, type, payload (ISO/IEC 14496-12, 4.2), in each form a header can have.
#pragma once

#include <cstdint>
#include <string_view>

#include "support/blob.h"

namespace shunt::test {

enum class Header {
  k32,     // u32 size, type
  k64,     // u32 1, type, u64 size
  kToEnd,  // u32 0, type: reaches to the end of the file
};

// Size and type alone, with a size of the caller's choice: for boxes that lie about it.
[[nodiscard]] Blob raw_header(std::uint64_t size, std::string_view type);
[[nodiscard]] Blob make_box(Header header, std::string_view type, const Blob& payload);

template <typename... Parts>
[[nodiscard]] Blob box(std::string_view type, const Parts&... parts) {
  return make_box(Header::k32, type, cat(parts...));
}
template <typename... Parts>
[[nodiscard]] Blob box64(std::string_view type, const Parts&... parts) {
  return make_box(Header::k64, type, cat(parts...));
}
template <typename... Parts>
[[nodiscard]] Blob box_to_end(std::string_view type, const Parts&... parts) {
  return make_box(Header::kToEnd, type, cat(parts...));
}
template <typename... Parts>
[[nodiscard]] Blob full_box(std::string_view type, unsigned version, unsigned flags,
                            const Parts&... parts) {
  return make_box(Header::k32, type, cat(Blob().u8(version).u24(flags), parts...));
}
// A uuid box; `hex` has 32 digits, dashes are skipped.
template <typename... Parts>
[[nodiscard]] Blob uuid_box(std::string_view hex, const Parts&... parts);

[[nodiscard]] Blob from_hex(std::string_view hex);  // dashes are skipped
// `size` bytes that depend on `seed` and `index` only.
[[nodiscard]] Blob noise(std::uint32_t seed, std::uint32_t index, std::uint64_t size);

[[nodiscard]] Blob ftyp(std::string_view major = "isom");
// A box of `size` bytes in all, header included; at least 8.
[[nodiscard]] Blob free_box(std::uint64_t size, std::string_view type = "free");

template <typename... Parts>
Blob uuid_box(std::string_view hex, const Parts&... parts) {
  return box("uuid", from_hex(hex), parts...);
}

}  // namespace shunt::test
