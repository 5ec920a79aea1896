// A field outside moov that holds an absolute offset.
#pragma once

#include <cstdint>

namespace shunt::mp4 {

// An offset field and what it really points at.
struct OffsetField {
  std::uint64_t at = 0;
  std::uint32_t width = 4;
  std::uint64_t value = 0;
  // The field moves as `target` does: a base_data_offset follows the data that counts from it.
  std::uint64_t target = 0;
};

}  // namespace shunt::mp4
