// One run of a disk that leaves as a stream: the server, the command that writes to it, the end.
#pragma once

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
#include "sink/sink.h"

namespace shunt::sink {

// Where clients find the disk.
struct Address {
  enum class Kind {
    kPrivate,    // a unix socket in a folder that only we may enter
    kUnix,       // at `path`
    kTcp,        // at `host` and `port`; port 0: a free one
    kInherited,  // sockets handed over by a service manager
  };
  Kind kind = Kind::kPrivate;
  std::string path;
  std::string host;
  std::uint16_t port = 0;
};

// "unix:PATH", "tcp:HOST:PORT" or "fd"; kUsage otherwise.
Result<Address> parse_address(std::string_view text);

struct SessionOptions {
  Options disk;
  Address address;
  std::string command;  // the stream ends when it does; empty: none
  ChildOutput command_output = ChildOutput::kAsOurs;
  // The stream ends with the last client that there was. One that wrote and went without taking
  // leave is a failure.
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
