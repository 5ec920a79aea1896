// What clients asked for: counted, and written down one JSON object a line.
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

// For the thread of the server; read when it is done.
class Trace {
 public:
  // Counts only.
  Trace() = default;
  // Writes to a new file at `path`, which has its name once finish() is through and may replace
  // another only with `force`; or to the stream of that name (files/output_name.h). `cancel` is
  // asked while a FIFO has no reader yet.
  static Result<Trace> to_file(const std::string& path, bool force, const CancelToken& cancel);

  void note(const nbd::Served& served);
  // Writes the rest, behind the last note.
  void end_notes();
  // A reader that takes nothing is not waited for any more. From any thread.
  void give_up() { give_up_->request(0); }
  // Behind end_notes(): the file gets its name. Tells of every line that could not be written.
  Result<void> finish();

  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& counts() const {
    return counts_;
  }

 private:
  void write_out();

  std::unique_ptr<CancelToken> give_up_ = std::make_unique<CancelToken>();
  std::unique_ptr<files::Destination> out_;        // null: counts only
  std::unique_ptr<streams::StreamWriter> writer_;  // to it
  Stopwatch stopwatch_;
  std::string lines_;  // not written yet
  std::optional<Error> failure_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace shunt::serve
