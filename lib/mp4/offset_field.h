// A field outside moov that holds an absolute offset.
#pragma once

#include <cstdint>

namespace shunt::mp4 {

// An offset field and what it actually points at. In bytes.
struct OffsetField {
  std::uint64_t at = 0;
  std::uint32_t width = 4;
  std::uint64_t value = 0;
  // The field is shifted like this offset: a base_data_offset follows the data that is relative to
  // it.
  std::uint64_t target = 0;
};

}  // namespace shunt::mp4
