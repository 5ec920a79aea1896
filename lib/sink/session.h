// One run of a disk that leaves as a stream: the server, the command that writes to it, the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/progress.h"
#include "base/result.h"
#include "sink/child.h"
#include "sink/destination.h"
#include "sink/listeners.h"
#include "sink/sink.h"

namespace shunt::sink {

// Some clients go, and come again at once: qemu-img makes a disk over one connection, and writes it
// over another.
inline constexpr std::chrono::milliseconds kReturn{500};

struct SessionOptions {
  Options disk;
  Address address;
  std::string command;  // the stream ends when it does; empty: none
  ChildOutput command_output = ChildOutput::kAsOurs;
  // The stream ends when the last client has gone, and none comes for kReturn. One that was not
  // done is a failure (sink/clients.h).
  bool until_disconnect = false;
  std::string trace;                                      // a file; empty: none
  std::function<void(const std::string& uri)> listening;  // told once; may be empty
  // The first request ends the stream (with a command: asks the command to end), a second one gives
  // it up.
  const CancelToken* cancel = nullptr;
  Progress* progress = nullptr;  // of bytes that left; may be null
};

struct SessionReport {
  Summary summary;
  std::map<std::string, std::uint64_t, std::less<>> requests;  // by the command of the protocol
  std::optional<ExitStatus> command_status;
  double seconds = 0;
  std::optional<Error> error;
};

// Serves until the end of the stream and commits `out`; when anything failed, the command among it,
// `out` is not committed and the report has an error.
SessionReport run_session(const SessionOptions& options, Destination& out);

}  // namespace shunt::sink
