// The progress line on standard error. There is one per terminal, and one in the program.
#pragma once

#include <string_view>

#include "shunt/base/mutex.h"

namespace shunt::cli {

// Guards the terminal, and whether the line is on it. No other mutex is taken while it is held.
extern Mutex terminal_mutex;

// Holds the terminal while something else is written to it; the line is removed first. Everything
// the program prints, including the log, goes through print(), which uses this.
class SHUNT_SCOPED_LOCK TerminalTurn {
 public:
  TerminalTurn() SHUNT_ACQUIRE(terminal_mutex);
  ~TerminalTurn() SHUNT_RELEASE();
  TerminalTurn(const TerminalTurn&) = delete;
  TerminalTurn& operator=(const TerminalTurn&) = delete;
};

// Redraws the line. `text` is printable and narrower than the terminal. Thread-safe.
void draw_progress_line(std::string_view text) SHUNT_EXCLUDES(terminal_mutex);
// Removes the line if there is one.
void wipe_progress_line() SHUNT_EXCLUDES(terminal_mutex);

// Returns the current width of the terminal on standard error, in columns; COLUMNS, or else 80, if
// it is unknown.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace shunt::cli
