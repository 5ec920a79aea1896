// What the program is waiting for, such as a lock or the next attempt at a server: set by the
// waiter, shown with the progress.
#pragma once

#include <list>
#include <string>

namespace shunt {

// Announces the wait for its own lifetime. Thread-safe. The text is for people and may contain raw
// names of files and servers ("film.mp4 is locked by another process").
class Waiting {
 public:
  explicit Waiting(std::string what);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::list<std::string>::iterator at_;
};

// Returns the most recent wait still in progress; empty if there is none.
[[nodiscard]] std::string waiting_for();

}  // namespace shunt
