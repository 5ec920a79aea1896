#include "shunt/base/log.h"

#include <spdlog/spdlog.h>

namespace shunt::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
  }
  return spdlog::level::warn;
}

}  // namespace

bool enabled(Level level) {
  return spdlog::should_log(spdlog_level(level));
}

void write(Level level, std::string_view message) {
  // A string_view is not formatted again: braces in file names stay.
  spdlog::default_logger_raw()->log(spdlog_level(level), spdlog::string_view_t(message));
}

}  // namespace shunt::log
