// The NBD server of a disk, in its own thread, and what it knows of its clients.
#pragma once

#include <atomic>
#include <functional>
#include <semaphore>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/fd.h"
#include "shunt/io/thread.h"
#include "shunt/nbd/server.h"
#include "shunt/serve/clients.h"
#include "shunt/serve/sink_export.h"
#include "shunt/serve/trace.h"
#include "shunt/sink/sink.h"

namespace shunt::serve {

// `sink` and `trace` are not owned and outlive it. One thread uses it. From start() until stop()
// returns, its own thread owns the server and the export, and tells the clients and the trace.
class SinkServer {
 public:
  SinkServer(sink::Sink& sink, std::vector<io::Fd> sockets, Trace& trace);
  SinkServer(const SinkServer&) = delete;
  SinkServer& operator=(const SinkServer&) = delete;
  ~SinkServer();

  // Fails if it could not serve anybody; a client started afterwards would wait for ever.
  Result<void> start();
  // Ends all connections. Afterwards clients() has judged every client, and the trace is complete.
  // `meanwhile` is called ten times a second, on the calling thread.
  Result<void> stop(const std::function<void()>& meanwhile);

  [[nodiscard]] const Clients& clients() const { return clients_; }
  // True if the server thread has failed; stop() returns the error.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  nbd::ServerOptions server_options();

  sink::Sink& sink_;
  Trace& trace_;
  std::atomic<bool> failed_{false};
  std::binary_semaphore ended_{0};  // released when the thread has ended
  const CancelToken never_;
  SinkExport export_;
  Clients clients_;
  nbd::Server server_;
  io::Thread thread_;
};

}  // namespace shunt::serve
