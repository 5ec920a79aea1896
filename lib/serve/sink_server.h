// The NBD server of a disk, in a thread of its own, and what it knows of its clients.
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

// `sink` and `trace` are not owned. One thread uses it. From start() until stop() has returned, its
// own thread owns the server and the export, and tells the clients and the trace.
class SinkServer {
 public:
  SinkServer(sink::Sink& sink, std::vector<io::Fd> sockets, Trace& trace);
  SinkServer(const SinkServer&) = delete;
  SinkServer& operator=(const SinkServer&) = delete;
  ~SinkServer();

  // Fails where it could serve nobody: whoever is started to write would wait for it.
  Result<void> start();
  // Ends all connections. Afterwards each client that was there is known to be done, or not, and
  // all is in the trace. `meanwhile` is called ten times a second.
  Result<void> stop(const std::function<void()>& meanwhile);

  [[nodiscard]] const Clients& clients() const { return clients_; }
  // It serves nobody any more; stop() says why.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  nbd::ServerOptions server_options();

  sink::Sink& sink_;
  Trace& trace_;
  std::atomic<bool> failed_{false};
  std::binary_semaphore ended_{0};  // the thread has
  const CancelToken never_;
  SinkExport export_;
  Clients clients_;
  nbd::Server server_;
  io::Thread thread_;
};

}  // namespace shunt::serve
