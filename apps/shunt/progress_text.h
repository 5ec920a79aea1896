// The text of a progress line, for a given number of columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace shunt::cli {

struct ProgressView {
  std::string what;                     // "shifting", "3/12 files"
  std::string name;                     // of the part that moved last; may be empty
  std::uint64_t done = 0;               // bytes
  std::uint64_t total = 0;              // bytes; 0: unknown
  std::optional<double> part{};         // fraction done, 0 to 1, if bytes do not give it
  std::optional<std::uint64_t> rate{};  // bytes per second; nullopt: all was cached
  std::optional<double> left{};         // seconds
  std::string note;                     // a stall, retry or wait; replaces rate and time left
};

// Returns "fetching  [#####.....]  50%  1.00 GiB of 2.00 GiB  100 MiB/s  0:10 left  …/film.mp4", or
// less of it if there are few columns: from 20 on it has bytes, rate and time left, or the note.
// Never wider than `columns`. The texts in `view` must be printable.
[[nodiscard]] std::string progress_text(const ProgressView& view, std::size_t columns);

// Returns "0:07", "12:34" or "1:02:03"; from a hundred hours on "--:--".
[[nodiscard]] std::string time_text(double seconds);

}  // namespace shunt::cli
