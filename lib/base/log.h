// The log: diagnostics besides results. Goes to spdlog's default logger; the program sets its level
// and target. Thread-safe.
//
// Only log.cc and programs include spdlog/spdlog.h: formatting through it adds 3 s to compiling a
// file with g++ -O2, and more with sanitizers.
#pragma once

#include <fmt/core.h>

#include <string_view>
#include <utility>

namespace shunt::log {

enum class Level { kDebug, kInfo, kWarn };

// Returns true if messages of this level are written; use it to skip work that only a message
// needs.
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view message);

// Like fmt::format; formats only if the level is enabled.
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
