// The progress line on standard error. There is one per terminal, and one in the program.
#pragma once

#include <mutex>
#include <string_view>

namespace shunt::cli {

// Holds the terminal while something else is written to it; the line is removed first. Everything
// the program prints, including the log, goes through print(), which uses this.
class TerminalTurn {
 public:
  TerminalTurn();
  TerminalTurn(const TerminalTurn&) = delete;
  TerminalTurn& operator=(const TerminalTurn&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
};

// Redraws the line. `text` is printable and narrower than the terminal. Thread-safe.
void draw_progress_line(std::string_view text);
// Removes the line if there is one.
void wipe_progress_line();

// Returns the current width of the terminal on standard error, in columns; COLUMNS, or else 80, if
// it is unknown.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace shunt::cli
