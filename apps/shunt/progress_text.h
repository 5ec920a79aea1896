// What a line of progress says, in the columns that there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace shunt::cli {

struct ProgressView {
  std::string what;              // "shifting", "3/12 files"
  std::string name;              // of what moved last; may be empty
  std::uint64_t done = 0;        // bytes
  std::uint64_t total = 0;       // 0: nobody knows
  std::optional<double> part{};  // how much of the whole is done, 0 to 1, where bytes do not tell
  std::optional<std::uint64_t> rate{};  // bytes a second; nullopt: all of it was in the cache
  std::optional<double> left{};         // seconds
  std::string note;  // a stall, a retry, a wait: stands in place of rate and time left
};

// "fetching  [#####.....]  50%  1.00 GiB of 2.00 GiB  100 MiB/s  0:10 left  …/film.mp4", and less
// of it where `columns` are few: from 20 on there are bytes, rate and time left, or the note.
// Never wider. What is in it may be shown.
[[nodiscard]] std::string progress_text(const ProgressView& view, std::size_t columns);

// "0:07", "12:34", "1:02:03"; from a hundred hours on "--:--".
[[nodiscard]] std::string time_text(double seconds);

}  // namespace shunt::cli
