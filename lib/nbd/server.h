// An NBD server for one export: fixed newstyle negotiation, simple and structured replies
// (doc/proto.md of the NetworkBlockDevice project).
//
// One thread serves all connections with poll(2), in run(). Requests of a connection are served in
// order, one at a time. Memory is bounded: 20 KiB per connection, and one buffer of kPieceSize for
// all. Received payload goes to the export at once; data of a READ that a client does not take is
// read again when it does.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/fd.h"
#include "shunt/nbd/export.h"

namespace shunt::nbd {

// The largest piece of a payload passed to or from an Export at once, in bytes.
inline constexpr std::size_t kPieceSize = 256 << 10;

struct Limits {
  // Above it, a new connection replaces another: the one longest in negotiation, or longest idle
  // without a request, or that has only read. At most half of the process's descriptors.
  std::size_t connections = 256;
  std::uint32_t options = 128;            // per negotiation
  std::uint32_t option_bytes = 64 << 10;  // of all options of one negotiation
  int negotiation_ms = 10'000;
  int stalled_request_ms = 60'000;      // time without progress in the middle of a request
  std::uint32_t read_bytes = 32 << 20;  // per READ; announced as the largest block size
};

// One request that was answered, for traces.
struct Served {
  std::uint64_t connection = 0;  // numbered from 1
  std::string_view command;      // "read", "write", "zero", "trim", "flush", "block_status"
  std::uint16_t flags = 0;
  ByteRange range;
  std::string_view error;  // such as "EPERM"; empty: none
};

// A connection that was accepted and has sent nothing yet.
struct Arrival {
  std::uint64_t connection = 0;  // as in Served
  // The process that connected to a unix socket; 0: unknown. Equal for all connections of a
  // program.
  pid_t process = 0;
};

// How a connection ended.
struct Departure {
  std::uint64_t connection = 0;  // as in Served
  std::size_t left = 0;          // number of remaining connections
  bool asked_for_change = false;
  bool took_leave = false;  // the client sent NBD_CMD_DISC
  bool unanswered = false;  // a request was received in part, or its reply was not sent
};

struct ServerOptions {
  Limits limits;
  std::string description;                        // of the export, for people; may be empty
  std::function<void(const Served&)> served;      // may be empty
  std::function<void(const Arrival&)> connected;  // may be empty
  // An accepted connection has ended, in negotiation or later.
  std::function<void(const Departure&)> disconnected;  // may be empty
};

class Server {
 public:
  // `target` is not owned and outlives the Server. `listeners` are listening sockets.
  Server(Export& target, std::vector<io::Fd> listeners, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Allocates what run() needs, mainly descriptors. run() calls it too; an earlier call shows
  // whether anybody could be served.
  Result<void> prepare();
  // Serves until stop(), or until `cancel` is requested (noticed within 200 ms). Fails only if
  // polling fails; all connections and listeners are then closed. A client's error ends its own
  // connection, with a debug message in the log.
  Result<void> run(const CancelToken& cancel);

  // Thread-safe, and may be called by callbacks.
  void wake();  // the export may be ready, or a flush done
  // Stops accepting. Answers requests received completely, with ESHUTDOWN if the export would have
  // to be waited for. run() then returns, after 2 seconds even if clients do not take their
  // replies.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

// Creates a socket listening at `path`, which must not exist; mode 0600 less the umask. The caller
// removes it.
Result<io::Fd> listen_unix(const std::string& path);
// Listens at `host`, a name or an address; port 0: any free one. Returns the socket and the port.
struct TcpListener {
  io::Fd socket;
  std::uint16_t port = 0;
};
Result<TcpListener> listen_tcp(const std::string& host, std::uint16_t port);
// Returns the sockets passed by a service manager (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3));
// kUsage if there are none. Removes these variables from the environment.
Result<std::vector<io::Fd>> inherited_listeners();

// Returns nbd+unix:///?socket=PATH, escaped, or nbd://HOST:PORT (doc/uri.md).
std::string unix_uri(std::string_view path);
std::string tcp_uri(std::string_view host, std::uint16_t port);

}  // namespace shunt::nbd
