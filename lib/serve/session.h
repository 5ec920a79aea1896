// One run of a disk that leaves as a stream: the server, the command that writes to it, the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/files/destination.h"
#include "shunt/serve/child.h"
#include "shunt/serve/listeners.h"
#include "shunt/sink/sink.h"

namespace shunt::serve {

// For clients to finish, or to come again: qemu-img makes a disk over one connection, and writes it
// over another.
inline constexpr std::chrono::milliseconds kReturnTime{2000};

struct SessionOptions {
  sink::Options disk;
  Address address;
  // The stream ends when it does; empty: none. A client that is still there then has `return_time`
  // to finish.
  std::string command;
  ChildOutput command_output = ChildOutput::kAsOurs;
  // The stream ends when the last client that changed or flushed something has gone, and nobody
  // is there for `return_time`.
  bool until_disconnect = false;
  std::chrono::milliseconds return_time = kReturnTime;
  // However the stream ends: a client that was not done (sink/clients.h) or whose write was refused
  // is a failure, and so it is when nobody changed anything, unless this is set.
  bool allow_empty = false;
  std::string trace;           // a file, which is there whole at the end; empty: none
  bool replace_trace = false;  // or else a file of that name is an error
  std::function<void(const std::string& uri)> listening;  // told once; may be empty
  // The first request ends the stream (with a command: asks the command to end), which is
  // kInterrupted when a client was not done; a second one gives it up.
  // What is told is the bytes that left.
  Context context = {};
};

struct SessionReport {
  bool began = false;  // the disk was served, or input copied
  sink::Summary summary;
  std::map<std::string, std::uint64_t, std::less<>> requests;  // by the command of the protocol
  std::optional<ExitStatus> command_status;                    // how it ended by itself
  std::optional<ExitStatus> consumer_status;                   // the same of a Consumer
  double seconds = 0;
  std::optional<Error> error;
};

// Serves until the end of the stream and commits `out`; when anything failed, the command among it,
// `out` is not committed and the report has an error.
SessionReport run_session(const SessionOptions& options, files::Destination& out);

}  // namespace shunt::serve
