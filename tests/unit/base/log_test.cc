#include "shunt/base/log.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

#include "support/catch.h"

namespace shunt {
namespace {

// The log of this level, for as long as it lives.
class CapturedLog {
 public:
  explicit CapturedLog(spdlog::level::level_enum level) : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    auto logger = std::make_shared<spdlog::logger>("captured", std::move(sink));
    logger->set_pattern("%l %v");
    logger->set_level(level);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST_CASE("the program's level decides what is logged") {
  const CapturedLog captured(spdlog::level::info);
  log::debug("a {}", 1);
  log::info("b {}", 2);
  log::warn("c {}", 3);
  CHECK(captured.text() == "info b 2\nwarning c 3\n");
  CHECK(!log::enabled(log::Level::kDebug));
  CHECK(log::enabled(log::Level::kInfo));
  CHECK(log::enabled(log::Level::kWarn));
}

TEST_CASE("debugging messages are logged when asked for") {
  const CapturedLog captured(spdlog::level::debug);
  log::debug("a {}", 1);
  CHECK(captured.text() == "debug a 1\n");
}

TEST_CASE("braces in a message are only characters") {
  const CapturedLog captured(spdlog::level::info);
  log::info("{}: gone", "{}{0}.mp4");
  CHECK(captured.text() == "info {}{0}.mp4: gone\n");
}

}  // namespace
}  // namespace shunt
