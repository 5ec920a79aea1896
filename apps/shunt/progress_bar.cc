#include "progress_bar.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/size_text.h"

namespace shunt::cli {
namespace {

constexpr int kWidth = 24;

}  // namespace

std::string bar_text(std::uint64_t done, std::uint64_t total, double seconds) {
  if (total > 0) done = std::min(done, total);
  const double rate = static_cast<double>(done) / seconds;
  const auto rate_text = format_size(static_cast<std::uint64_t>(rate));
  if (total == 0) return fmt::format("{}  {}/s", format_size(done), rate_text);
  const double part = static_cast<double>(done) / static_cast<double>(total);
  const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  const int filled = static_cast<int>(part * kWidth);
  return fmt::format("[{}{}] {:3.0f}%  {} of {}  {}/s  {:.0f} s left",
                     std::string(static_cast<std::size_t>(filled), '#'),
                     std::string(static_cast<std::size_t>(kWidth - filled), '.'), part * 100,
                     format_size(done), format_size(total), rate_text, left);
}

void ProgressBar::begin(std::string_view what, std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  what_ = what;
  total_ = total;
  done_ = 0;
  line_.restart();
}

void ProgressBar::advance(std::uint64_t bytes) {
  done_ += bytes;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;  // somebody else is drawing
  if (!line_.due()) return;
  line_.draw(fmt::format("{} {}", what_, bar_text(done_, total_, line_.seconds())));
}

void ProgressBar::clear() {
  const std::lock_guard lock(mutex_);
  line_.clear();
}

}  // namespace shunt::cli
