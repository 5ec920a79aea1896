// One run of `stream-sink`: the server, the command that writes to the disk, the end of the stream.
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

// Time for clients to finish or reconnect: qemu-img creates a disk over one connection and writes
// it over another.
inline constexpr std::chrono::milliseconds kReturnTime{2000};

struct SessionOptions {
  sink::Options disk;
  Address address;
  // The stream ends when this command ends; empty: none. A client that is still connected then has
  // `return_time` to finish.
  std::string command;
  ChildOutput command_output = ChildOutput::kAsOurs;
  // The stream ends when the last client that changed or flushed something has gone and nobody has
  // been connected for `return_time`.
  bool until_disconnect = false;
  std::chrono::milliseconds return_time = kReturnTime;
  // However the stream ends, it is a failure if a client was not done (serve/clients.h), if a write
  // was refused, or if nothing was changed. This permits the last case.
  bool allow_empty = false;
  std::string trace;           // file to write, complete at the end; empty: none
  bool replace_trace = false;  // an existing file may be replaced
  std::function<void(const std::string& uri)> listening;  // called once; may be empty
  // The first request to stop ends the stream (with a command: asks the command to end), and is
  // kInterrupted if a client was not done. A second request gives up. Progress counts bytes sent.
  Context context = {};
};

struct SessionReport {
  bool began = false;  // the disk was served, or input copied
  sink::Summary summary;
  std::map<std::string, std::uint64_t, std::less<>> requests;  // count by name of the NBD command
  std::optional<ExitStatus> command_status;                    // set if it ended by itself
  std::optional<ExitStatus> consumer_status;                   // likewise, for a Consumer
  double seconds = 0;
  std::optional<Error> error;
};

// Serves until the end of the stream and commits `out`. If anything fails, including the command,
// `out` is not committed and the report has an error.
SessionReport run_session(const SessionOptions& options, files::Destination& out);

}  // namespace shunt::serve
