// The log: what the library notices besides its results. It goes to spdlog's default logger, whose
// level and place are the program's matter. Any thread may write.
//
// spdlog/spdlog.h is for log.cc and for programs alone: a source that formats a message through it
// takes 3 s longer to compile with g++ and -O2, and more than that with sanitizers.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace shunt::log {

enum class Level { kDebug, kInfo, kWarn };

// Whether a message of this level goes anywhere: for work that only a message needs.
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view message);

// As fmt::format; nothing is formatted that goes nowhere.
template <typename... Arguments>
void debug(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  if (!enabled(Level::kDebug)) return;
  write(Level::kDebug, fmt::format(text, std::forward<Arguments>(arguments)...));
}

template <typename... Arguments>
void info(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  if (!enabled(Level::kInfo)) return;
  write(Level::kInfo, fmt::format(text, std::forward<Arguments>(arguments)...));
}

template <typename... Arguments>
void warn(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  if (!enabled(Level::kWarn)) return;
  write(Level::kWarn, fmt::format(text, std::forward<Arguments>(arguments)...));
}

}  // namespace shunt::log
