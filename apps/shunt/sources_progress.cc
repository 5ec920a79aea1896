#include "sources_progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "progress_bar.h"

namespace shunt::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// The end of a name tells more than its beginning.
std::string shortened(const std::string& name, std::size_t width) {
  if (name.size() <= width) return name;
  return width < 4 ? "" : "..." + name.substr(name.size() - (width - 3));
}

}  // namespace

void SourcesProgress::expect(std::size_t sources) {
  const std::lock_guard lock(mutex_);
  sources_ = sources;
}

void SourcesProgress::Part::begin(std::string_view /*what*/, std::uint64_t total) {
  const std::lock_guard lock(all_.mutex_);
  all_.give_up_rest(*this);
  done_ = 0;
  total_ = total;
  all_.total_ += total;
}

void SourcesProgress::Part::advance(std::uint64_t bytes) {
  done_ += bytes;
  all_.done_ += bytes;
  const std::unique_lock lock(all_.mutex_, std::try_to_lock);
  if (!lock) return;  // somebody else is drawing
  if (all_.line_.due()) all_.draw(*this);
}

// What began anew, or failed, is not waited for any more.
void SourcesProgress::give_up_rest(Part& part) {
  const std::uint64_t done = std::min<std::uint64_t>(part.done_, part.total_);
  total_ -= std::min(total_, part.total_ - done);
}

void SourcesProgress::finish(Part& part) {
  const std::lock_guard lock(mutex_);
  give_up_rest(part);
  ++finished_;
}

void SourcesProgress::draw(const Part& part) {
  std::string line = fmt::format("{}/{} sources {}", finished_, sources_,
                                 bar_text(done_, total_, line_.seconds()));
  const std::size_t width = terminal_width() - 1;
  line.resize(std::min(line.size(), width));
  const std::uint64_t percent =
      part.total_ > 0 ? std::min<std::uint64_t>(part.done_ * 100 / part.total_, 100) : 0;
  const std::string now = fmt::format("  {}%", percent);
  if (line.size() + now.size() + 12 < width) {
    line += "  " + shortened(part.name_, width - line.size() - now.size() - 2) + now;
  }
  line_.draw(line);
}

void SourcesProgress::clear() {
  const std::lock_guard lock(mutex_);
  line_.clear();
}

}  // namespace shunt::cli
