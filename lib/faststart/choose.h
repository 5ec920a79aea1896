// Choosing a strategy: the order of `auto`, and why one is passed over.
#pragma once

#include <string>

#include "faststart/plan.h"
#include "faststart/strategy.h"
#include "io/file_system.h"

namespace shunt::faststart {

// The file that a strategy is chosen for, and where it lies.
struct Setting {
  struct stat status {};
  io::FileSystem file_system;

  static Result<Setting> of(const io::File& file);
};

// Whether `plan` may be run on the file itself. Empty when it may, otherwise the reason for people.
[[nodiscard]] std::string why_not(const Plan& plan, const Setting& setting);

// What running it amounts to, in a few words: "opens 12.0 KiB by inserting extents".
[[nodiscard]] std::string describe(const Plan& plan);

// After this failure of a strategy, which has left the file as it was, `auto` tries the next one.
[[nodiscard]] bool leaves_to_others(Strategy strategy, const Error& error);

}  // namespace shunt::faststart
