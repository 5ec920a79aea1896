// The line of standard error that shows progress. A terminal has one, and so has the program.
#pragma once

#include <string_view>

#include "shunt/base/mutex.h"

namespace shunt::cli {

// Of the terminal, and of whether the line is on it. The last of all mutexes: nothing else is taken
// while it is held.
extern Mutex terminal_mutex;

// Held while something is written to the terminal; the line is taken away first. Whatever the
// program prints, the log included, goes through print(), which holds it.
class SHUNT_SCOPED_LOCK TerminalTurn {
 public:
  TerminalTurn() SHUNT_ACQUIRE(terminal_mutex);
  ~TerminalTurn() SHUNT_RELEASE();
  TerminalTurn(const TerminalTurn&) = delete;
  TerminalTurn& operator=(const TerminalTurn&) = delete;
};

// Draws the line anew. `text` may be shown, and is narrower than the terminal. Any thread.
void draw_progress_line(std::string_view text) SHUNT_EXCLUDES(terminal_mutex);
// Takes it away, if it is there.
void wipe_progress_line() SHUNT_EXCLUDES(terminal_mutex);

// The columns of the terminal that standard error is, now: it may have been resized. 80 where it
// does not tell, and COLUMNS does not either.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace shunt::cli
