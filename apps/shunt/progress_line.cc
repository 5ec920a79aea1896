#include "progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "shunt/text/size_text.h"

namespace shunt::cli {

Mutex terminal_mutex;

namespace {

constexpr std::string_view kWipe = "\r\033[K";
constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kMostColumns = 1000;

bool visible SHUNT_GUARDED_BY(terminal_mutex) = false;

// Errors are ignored: only a drawing is lost.
void write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(STDERR_FILENO, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

void wipe() SHUNT_REQUIRES(terminal_mutex) {
  if (visible) write_out(kWipe);
  visible = false;
}

}  // namespace

TerminalTurn::TerminalTurn() {
  terminal_mutex.lock();
  wipe();
}

TerminalTurn::~TerminalTurn() {
  terminal_mutex.unlock();
}

void draw_progress_line(std::string_view text) {
  const Lock lock(terminal_mutex);
  write_out(std::string(kWipe).append(text));
  visible = true;
}

void wipe_progress_line() {
  const Lock lock(terminal_mutex);
  wipe();
}

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  if (const char* const said = std::getenv("COLUMNS"); said != nullptr) {
    const Result<std::uint64_t> columns = parse_size(said);
    if (columns && *columns > 0 && *columns <= kMostColumns) {
      return static_cast<std::size_t>(*columns);
    }
  }
  return kUsualColumns;
}

}  // namespace shunt::cli
