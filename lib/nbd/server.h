// An NBD server for one export: fixed newstyle negotiation, simple and structured replies
// (doc/proto.md of the NetworkBlockDevice project).
//
// One thread serves all connections with poll(2), in run(). Requests of a connection are served in
// their order, one at a time. Memory is bounded: a small state for each connection (20 KiB), and
// one buffer of kPieceSize for all. What is received of a payload is handed to the export at once;
// what a client does not take of a READ is read again when it does.
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

// The largest piece of a payload that an Export is given or asked for at once, in bytes.
inline constexpr std::size_t kPieceSize = 256 << 10;

struct Limits {
  // One more: another gives way, the one that is longest in negotiation, or has asked for nothing
  // for longest, or for nothing but to read. At most half of the descriptors of the process.
  std::size_t connections = 256;
  std::uint32_t options = 128;            // of one negotiation
  std::uint32_t option_bytes = 64 << 10;  // of all options of one negotiation
  int negotiation_ms = 10'000;
  int stalled_request_ms = 60'000;      // half a request, and then nothing
  std::uint32_t read_bytes = 32 << 20;  // of one READ; advertised as the largest block size
};

// One request that was answered, for traces.
struct Served {
  std::uint64_t connection = 0;  // numbered from 1
  std::string_view command;      // "read", "write", "zero", "trim", "flush", "block_status"
  std::uint16_t flags = 0;
  ByteRange range;
  std::string_view error;  // "EPERM"; empty: none
};

// A connection that was accepted; it has not said anything yet.
struct Arrival {
  std::uint64_t connection = 0;  // as in Served
  // Which connected to our unix socket; 0: not known. All connections of one program have the same.
  pid_t process = 0;
};

// How a connection ended.
struct Departure {
  std::uint64_t connection = 0;  // as in Served
  std::size_t left = 0;          // connections that are still there
  bool asked_for_change = false;
  bool took_leave = false;  // with NBD_CMD_DISC
  bool unanswered = false;  // a request was half received, or its reply was not out
};

struct ServerOptions {
  Limits limits;
  std::string description;                        // of the export, for people; may be empty
  std::function<void(const Served&)> served;      // may be empty
  std::function<void(const Arrival&)> connected;  // may be empty
  // One that was accepted ended, in its negotiation or later.
  std::function<void(const Departure&)> disconnected;  // may be empty
};

class Server {
 public:
  // `target` is not owned and lives as long as the Server. `listeners` are sockets that listen.
  Server(Export& target, std::vector<io::Fd> listeners, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What run() needs, descriptors above all. Called by run() too; before, it tells whether anybody
  // could be served.
  Result<void> prepare();
  // Serves until stop() or until `cancel` is requested (at most 200 ms later). Fails only when
  // polling itself does, and then has closed all connections and listeners; what a client does
  // wrong ends that client's connection, with a word in the log (debug).
  Result<void> run(const CancelToken& cancel);

  // From any thread, and from the callbacks.
  void wake();  // the export may have become ready, or a flush done
  // Accept nobody; answer what was received whole, with ESHUTDOWN where the export would have to be
  // waited for; run() returns, after 2 seconds also with replies that no client takes.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

// A socket that listens at `path`, which must not exist yet; mode 0600, or less with the umask.
// Whoever called removes it.
Result<io::Fd> listen_unix(const std::string& path);
// At `host`, a name or an address; port 0: a free one.
// Returns the socket and the port.
struct TcpListener {
  io::Fd socket;
  std::uint16_t port = 0;
};
Result<TcpListener> listen_tcp(const std::string& host, std::uint16_t port);
// The sockets handed over by a service manager (LISTEN_PID, LISTEN_FDS; sd_listen_fds(3)); kUsage
// when there are none. The variables are taken out of the environment.
Result<std::vector<io::Fd>> inherited_listeners();

// nbd+unix:///?socket=PATH with what has to be escaped escaped, nbd://HOST:PORT (doc/uri.md).
std::string unix_uri(std::string_view path);
std::string tcp_uri(std::string_view host, std::uint16_t port);

}  // namespace shunt::nbd
