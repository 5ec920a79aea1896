#include "progress_line.h"

#include <string>

#include "base/printable.h"
#include "output.h"

namespace shunt::cli {
namespace {

constexpr double kFirstDraw = 0.5;  // seconds from the start
constexpr double kRedraw = 0.1;
constexpr std::string_view kWipe = "\r\033[K";

}  // namespace

void ProgressLine::restart() {
  stopwatch_ = {};
  last_due_ = 0;
}

bool ProgressLine::due() {
  const double now = seconds();
  if (now < kFirstDraw || now - last_due_ < kRedraw) return false;
  last_due_ = now;
  return true;
}

void ProgressLine::draw(std::string_view text) {
  print(Stream::kErr, std::string(kWipe) + printable(text));
  visible_ = true;
}

void ProgressLine::clear() {
  if (!visible_) return;
  print(Stream::kErr, kWipe);
  visible_ = false;
}

}  // namespace shunt::cli
