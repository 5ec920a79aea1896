// What clients asked for: counted, and written down one JSON object a line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "io/file.h"
#include "nbd/server.h"

namespace shunt::sink {

// For the thread of the server; read when it is done.
class Trace {
 public:
  // Counts only.
  Trace() = default;
  // Writes to a new file at `path`, or over the one that is there.
  static Result<Trace> to_file(const std::string& path);

  void note(const nbd::Served& served);
  // Writes the rest; tells of every line that could not be written.
  Result<void> finish();

  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const {
    return counts_;
  }

 private:
  Result<void> write_out();

  io::File file_;
  Stopwatch stopwatch_;
  std::string lines_;  // not written yet
  std::optional<Error> failure_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace shunt::sink
