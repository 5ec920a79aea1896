// The ways to get moov in front, in the order in which they are tried. Where extents can be shared,
// that comes before inserting: an insertion drops the file's pages from the cache, and whoever
// reads the file sees its bytes move.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace shunt::faststart {

enum class Strategy {
  kReserve,  // into a free box that is there already
  kReflink,  // a new file that shares the extents of the old one
  kInsert,   // into a range that the file system inserts
  kCopy,     // a new file, copied
  kShift,    // in place, every byte moved
};

inline constexpr std::array kAllStrategies = {Strategy::kReserve, Strategy::kReflink,
                                              Strategy::kInsert, Strategy::kCopy, Strategy::kShift};

[[nodiscard]] constexpr std::string_view name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::kReserve:
      return "reserve";
    case Strategy::kInsert:
      return "insert";
    case Strategy::kReflink:
      return "reflink";
    case Strategy::kCopy:
      return "copy";
    case Strategy::kShift:
      return "shift";
  }
  return "";
}

[[nodiscard]] constexpr std::optional<Strategy> strategy_named(std::string_view name) {
  for (const Strategy strategy : kAllStrategies) {
    if (name_of(strategy) == name) return strategy;
  }
  return std::nullopt;
}

// Whether it changes the file itself, so that all its names keep it; otherwise a new file takes the
// place of the old one.
[[nodiscard]] constexpr bool keeps_inode(Strategy strategy) {
  return strategy != Strategy::kReflink && strategy != Strategy::kCopy;
}

}  // namespace shunt::faststart
