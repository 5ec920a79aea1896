// Limits on what a file may contain. Real files stay far below; hostile ones get an error instead
// of our memory or time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shunt::boxes {

inline constexpr unsigned kMaxDepth = 16;  // boxes within boxes
inline constexpr std::size_t kMaxTopLevelBoxes = 1
                                                 << 18;  // a day and a half of one-second fragments
inline constexpr std::size_t kMaxInnerBoxes = 1 << 20;   // within one moov
inline constexpr std::size_t kMaxOffsetTables = 1 << 13;  // stco, co64, saio, …; one or two a track
inline constexpr std::size_t kMaxContainers = 1 << 16;  // boxes that contain boxes, within one moov
inline constexpr std::size_t kMaxMetas = 64;            // at the top level
inline constexpr std::size_t kMaxAuxiliary = 16;        // checked saio boxes per track
inline constexpr unsigned kMaxSizingPasses = 16;        // before sizing takes larger steps
inline constexpr std::size_t kMaxFields = 1 << 16;      // offsets outside moov, one per fragment
inline constexpr std::uint64_t kMaxIlocBytes = 256 << 10;  // all iloc boxes together
inline constexpr std::size_t kMaxFilterRuns = 1 << 16;     // alternations own/external chunks
inline constexpr std::uint64_t kMaxInflatedMoov = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kMaxMoovSize = 0xffffffff;  // moov keeps a 32-bit size

}  // namespace shunt::boxes
