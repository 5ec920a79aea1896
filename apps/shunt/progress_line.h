// The line of standard error that shows progress. A terminal has one, and so has the program.
#pragma once

#include <mutex>
#include <string_view>

namespace shunt::cli {

// Held while something is written to the terminal; the line is taken away first. Whatever the
// program prints, the log included, goes through print(), which holds it.
class TerminalTurn {
 public:
  TerminalTurn();
  TerminalTurn(const TerminalTurn&) = delete;
  TerminalTurn& operator=(const TerminalTurn&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
};

// Draws the line anew. `text` may be shown, and is narrower than the terminal. Any thread.
void draw_progress_line(std::string_view text);
// Takes it away, if it is there.
void wipe_progress_line();

// The columns of the terminal that standard error is, now: it may have been resized. 80 where it
// does not tell, and COLUMNS does not either.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace shunt::cli
