// What the program waits for just now, such as a lock, or a server that is asked again: said by
// whoever waits, shown by whoever draws progress.
#pragma once

#include <list>
#include <string>

namespace shunt {

// Says so for as long as it lives. Any thread may make one; the text is for people, and may hold
// the names of files and servers as they are ("film.mp4 is locked by another process").
class Waiting {
 public:
  explicit Waiting(std::string what);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::list<std::string>::iterator at_;
};

// The wait that began last and goes on; empty: none that anybody has told of.
[[nodiscard]] std::string waiting_for();

}  // namespace shunt
