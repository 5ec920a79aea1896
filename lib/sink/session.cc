#include "sink/session.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/clock.h"
#include "nbd/server.h"
#include "sink/clients.h"
#include "sink/nbd_export.h"
#include "sink/trace.h"

namespace shunt::sink {
namespace {

constexpr int kAskAgain = 100;  // ms

// The server in a thread of its own.
class Serving {
 public:
  Serving(Sink& sink, std::vector<io::Fd> sockets, Trace& trace)
      : sink_(sink),
        export_(sink),
        clients_(export_.features().multi_conn ? Clients::FlushIsFor::kAll
                                               : Clients::FlushIsFor::kOne),
        server_(export_, std::move(sockets), server_options(trace)) {
    sink.on_progress([this] { server_.wake(); });
    thread_ = std::thread([this] {
      result_ = server_.run(never_);
      failed_ = !result_;
    });
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  // The Sink goes on, and must not call a server that is no more.
  ~Serving() {
    sink_.on_progress({});
    (void)stop();
  }

  Result<void> stop() {
    if (!thread_.joinable()) return {};
    server_.stop();
    thread_.join();
    return result_;
  }
  [[nodiscard]] const Clients& clients() const { return clients_; }
  // It serves nobody any more; stop() says why.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  nbd::ServerOptions server_options(Trace& trace) {
    nbd::ServerOptions options;
    options.served = [this, &trace](const nbd::Served& served) {
      trace.note(served);
      clients_.served(served);
    };
    options.connected = [this] { clients_.come(); };
    options.disconnected = [this](const nbd::Departure& departure) { clients_.gone(departure); };
    return options;
  }

  Sink& sink_;
  std::atomic<bool> failed_{false};
  const CancelToken never_;
  NbdExport export_;
  Clients clients_;
  nbd::Server server_;
  Result<void> result_;
  std::thread thread_;
};

class Session {
 public:
  Session(const SessionOptions& options, Destination& out, SessionReport& report)
      : options_(options), out_(out), report_(report) {}

  Result<void> run();

 private:
  Result<void> serve(Sink& sink, Listeners& listeners, Trace& trace);
  Result<void> wait_for_command(Sink& sink, Child& child);
  Result<void> wait_for_end(Sink& sink, const Serving& serving);
  Result<void> end(Sink& sink);
  void show_progress(Sink& sink);
  [[nodiscard]] int requests() const {
    return options_.cancel == nullptr ? 0 : options_.cancel->requests();
  }

  const SessionOptions& options_;
  Destination& out_;
  SessionReport& report_;
  std::uint64_t shown_ = 0;
};

void Session::show_progress(Sink& sink) {
  if (options_.progress == nullptr) return;
  const std::uint64_t out = sink.summary().bytes_out;
  options_.progress->advance(out - shown_);
  shown_ = out;
}

Result<void> Session::wait_for_command(Sink& sink, Child& child) {
  int told = 0;  // requests to stop that the command knows of
  while (true) {
    SHUNT_ASSIGN(const std::optional<ExitStatus> status, child.wait(kAskAgain));
    show_progress(sink);
    if (status) {
      report_.command_status = *status;
      if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
      if (*status == 0) return {};
      Error error;
      error.reason = fmt::format("the command ended with status {}", *status);
      return error;
    }
    (void)sink.check_reader();
    if (requests() > told) {
      told = requests();
      child.send(told == 1 ? options_.cancel->signal_number() : SIGKILL);
    }
  }
}

Result<void> Session::wait_for_end(Sink& sink, const Serving& serving) {
  while (requests() == 0 && !serving.failed()) {
    if (options_.until_disconnect && serving.clients().deserted(kReturn)) {
      return serving.clients().all_done();
    }
    SHUNT_TRY(sink.check_reader());
    show_progress(sink);
    std::this_thread::sleep_for(std::chrono::milliseconds(kAskAgain));
  }
  return {};
}

Result<void> Session::end(Sink& sink) {
  // Without a command the first request was the end, and others may have come since.
  const int expected = options_.command.empty() ? 1 : 0;
  return sink.finish([&] {
    show_progress(sink);
    return requests() > expected;
  });
}

Result<void> Session::serve(Sink& sink, Listeners& listeners, Trace& trace) {
  Serving serving(sink, std::move(listeners.sockets), trace);
  if (options_.listening) options_.listening(listeners.uri);
  Result<void> done;
  if (options_.command.empty()) {
    done = wait_for_end(sink, serving);
  } else {
    SHUNT_ASSIGN(Child child, Child::start(options_.command,
                                           {{"uri", listeners.uri},
                                            {"unixsocket", listeners.socket_path},
                                            {"size", std::to_string(sink.size())}},
                                           options_.command_output));
    done = wait_for_command(sink, child);
  }
  // A server that failed is why clients and the command did.
  SHUNT_TRY(serving.stop());
  return done;
}

Result<void> Session::run() {
  Listeners listeners;
  SHUNT_TRY(listeners.open(options_.address));
  Trace trace;
  if (!options_.trace.empty()) {
    SHUNT_ASSIGN(trace, Trace::to_file(options_.trace));
  }
  SHUNT_ASSIGN(const std::unique_ptr<Sink> sink, Sink::start(out_.file(), options_.disk));
  if (options_.progress != nullptr) options_.progress->begin("streaming", options_.disk.size);
  Result<void> done = serve(*sink, listeners, trace);
  // A failure of the output is why clients and the command failed.
  if (done || !sink->is_sent(0)) {
    if (const Result<void> ended = end(*sink); !ended) done = ended;
  }
  show_progress(*sink);
  report_.summary = sink->summary();
  report_.requests = trace.counts();
  const Result<void> traced = trace.finish();
  SHUNT_TRY(done);
  SHUNT_TRY(traced);
  return {};
}

}  // namespace

SessionReport run_session(const SessionOptions& options, Destination& out) {
  SessionReport report;
  const Stopwatch stopwatch;
  Session session(options, out, report);
  Result<void> done = session.run();
  if (done) done = out.commit();
  if (!done) report.error = done.error();
  report.seconds = stopwatch.seconds();
  return report;
}

}  // namespace shunt::sink
