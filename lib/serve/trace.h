// Counts the requests of clients and writes them down, one JSON object per line.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/clock.h"
#include "shunt/base/result.h"
#include "shunt/files/destination.h"
#include "shunt/nbd/server.h"
#include "shunt/streams/stream_writer.h"

namespace shunt::serve {

// Used by the thread of the server, and read once that has ended.
class Trace {
 public:
  // Only counts.
  Trace() = default;
  // Writes to a new file at `path`, which gets its name in finish() and replaces an existing file
  // only with `force`; or to the stream of that name (files/output_name.h). `cancel` ends the wait
  // for the reader of a FIFO.
  static Result<Trace> to_file(const std::string& path, bool force, const CancelToken& cancel);

  void note(const nbd::Served& served);
  // Writes the remaining lines, after the last note().
  void end_notes();
  // Stops waiting for a reader that takes nothing. Thread-safe.
  void give_up() { give_up_->request(0); }
  // Call after end_notes(). Gives the file its name. Returns an error if any line could not be
  // written.
  Result<void> finish();

  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const {
    return counts_;
  }

 private:
  void write_out();

  std::unique_ptr<CancelToken> give_up_ = std::make_unique<CancelToken>();
  std::unique_ptr<files::Destination> out_;        // null: counts only
  std::unique_ptr<streams::StreamWriter> writer_;  // writes to out_
  Stopwatch stopwatch_;
  std::string lines_;  // not written yet
  std::optional<Error> failure_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace shunt::serve
