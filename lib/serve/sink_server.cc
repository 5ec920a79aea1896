#include "shunt/serve/sink_server.h"

#include <chrono>
#include <utility>

#include "shunt/base/catching.h"

namespace shunt::serve {

SinkServer::SinkServer(sink::Sink& sink, std::vector<io::Fd> sockets, Trace& trace)
    : sink_(sink),
      trace_(trace),
      export_(sink),
      clients_(export_.features().multi_conn ? Clients::FlushIsFor::kAll
                                             : Clients::FlushIsFor::kOne),
      server_(export_, std::move(sockets), server_options()) {
  sink.on_progress([this] { server_.wake(); });
}

// The Sink lives on and must not call a destroyed server.
SinkServer::~SinkServer() {
  sink_.on_progress({});
  (void)stop([this] { trace_.give_up(); });
}

Result<void> SinkServer::start() {
  SHUNT_TRY(server_.prepare());
  SHUNT_ASSIGN(thread_, io::Thread::start([this]() -> Result<void> {
                 Result<void> served = catching([this] { return server_.run(never_); });
                 failed_ = !served;
                 const Result<void> told = catching([this]() -> Result<void> {
                   trace_.end_notes();
                   return {};
                 });
                 ended_.release();
                 SHUNT_TRY(served);
                 return told;
               }));
  return {};
}

Result<void> SinkServer::stop(const std::function<void()>& meanwhile) {
  if (!thread_.joinable()) return {};
  clients_.dismiss();
  server_.stop();
  while (!ended_.try_acquire_for(std::chrono::milliseconds(100))) meanwhile();
  return thread_.join();
}

nbd::ServerOptions SinkServer::server_options() {
  nbd::ServerOptions options;
  options.served = [this](const nbd::Served& served) {
    trace_.note(served);
    clients_.served(served);
  };
  options.connected = [this](const nbd::Arrival& arrival) { clients_.come(arrival); };
  options.disconnected = [this](const nbd::Departure& departure) { clients_.gone(departure); };
  return options;
}

}  // namespace shunt::serve
