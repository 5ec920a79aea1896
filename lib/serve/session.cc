#include "shunt/serve/session.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <thread>

#include "shunt/base/clock.h"
#include "shunt/base/waiting.h"
#include "shunt/serve/sink_server.h"
#include "shunt/serve/trace.h"
#include "shunt/text/duration_text.h"

namespace shunt::serve {
namespace {

constexpr int kAskAgain = 100;  // ms

// Time after the end of the command, and after the last client: a client that has connected by then
// is still accepted, and the last bytes of one that has gone are still read.
constexpr std::chrono::milliseconds kSettle{50};
// Time without clients after which those that the command left behind count as finished.
constexpr std::chrono::milliseconds kQuiet{500};
// Time for the command to end after SIGTERM, once nobody serves it any more.
constexpr std::chrono::milliseconds kFarewell{2000};

Error nobody_wrote() {
  Error error;
  error.reason = "nothing was written to the disk";
  error.hint = "--allow-empty permits a disk of zeros";
  return error;
}

class Session {
 public:
  Session(const SessionOptions& options, files::Destination& out, SessionReport& report)
      : options_(options), out_(out), report_(report) {}

  Result<void> run();

 private:
  Result<void> serve(sink::Sink& sink, Listeners& listeners, Trace& trace);
  static void end_command(Child& child);
  Result<void> wait_for_command(sink::Sink& sink, const SinkServer& server, Child& child);
  Result<void> wait_for_clients(sink::Sink& sink, const SinkServer& server);
  Result<void> wait_for_end(sink::Sink& sink, const SinkServer& server);
  [[nodiscard]] Result<void> judge(const sink::Sink& sink, const Clients& clients) const;
  Result<void> end(sink::Sink& sink);
  void show_progress(sink::Sink& sink);
  [[nodiscard]] int requests() const { return options_.context.requests(); }
  // Number of requests that are not yet a request to give up: without a command the first one ends
  // the stream.
  [[nodiscard]] int requests_for_end() const { return options_.command.empty() ? 1 : 0; }

  const SessionOptions& options_;
  files::Destination& out_;
  SessionReport& report_;
  std::uint64_t shown_ = 0;
};

void Session::show_progress(sink::Sink& sink) {
  if (options_.context.progress == nullptr) return;
  const std::uint64_t out = sink.summary().bytes_out;
  options_.context.advance(out - shown_);
  shown_ = out;
}

// The server has failed: the command is not waited for.
void Session::end_command(Child& child) {
  child.send(SIGTERM);
  (void)child.wait(static_cast<int>(kFarewell.count()));  // the destructor kills it
}

Result<void> Session::wait_for_command(sink::Sink& sink, const SinkServer& server, Child& child) {
  int told = 0;  // requests to stop that were passed to the command
  while (true) {
    SHUNT_ASSIGN(const std::optional<ExitStatus> status, child.wait(kAskAgain));
    show_progress(sink);
    if (status) {
      report_.command_status = *status;
      SHUNT_TRY(options_.context.check());
      if (*status == 0) return {};
      Error error;
      error.reason = fmt::format("the command ended with status {}", *status);
      return error;
    }
    if (server.failed()) {
      end_command(child);
      return {};
    }
    (void)sink.check_reader();
    if (requests() > told) {
      told = requests();
      child.send(told == 1 ? options_.context.cancel->signal_number() : SIGKILL);
    }
  }
}

// Waits for clients that the command left behind, within their time.
Result<void> Session::wait_for_clients(sink::Sink& sink, const SinkServer& server) {
  using std::chrono::milliseconds;
  const Clients& clients = server.clients();
  const auto began = Clients::Clock::now();
  const auto within = [&](milliseconds span) { return Clients::Clock::now() - began < span; };
  bool left_behind = false;
  while (within(options_.return_time) && requests() == 0 && !server.failed()) {
    if (!within(kSettle)) {
      if (clients.quiet(left_behind ? kQuiet : kSettle)) break;
      left_behind = left_behind || clients.present() > 0;
    }
    SHUNT_TRY(sink.check_reader());
    show_progress(sink);
    std::this_thread::sleep_for(milliseconds(left_behind ? kAskAgain : 5));
  }
  return options_.context.check();
}

Result<void> Session::wait_for_end(sink::Sink& sink, const SinkServer& server) {
  const Clients& clients = server.clients();
  std::optional<Waiting> nobody;
  while (requests() == 0 && !server.failed()) {
    if (options_.until_disconnect && clients.deserted(options_.return_time)) return {};
    if (clients.present() > 0) {
      nobody.reset();
    } else if (!nobody) {
      nobody.emplace("waiting for a client");
    }
    SHUNT_TRY(sink.check_reader());
    show_progress(sink);
    std::this_thread::sleep_for(std::chrono::milliseconds(kAskAgain));
  }
  return {};
}

// Called when all connections have ended.
Result<void> Session::judge(const sink::Sink& sink, const Clients& clients) const {
  if (Result<void> done = clients.all_done(); !done) {
    Error error = std::move(done).error();
    if (requests() > 0) {
      error.code = ErrorCode::kInterrupted;
      error.reason = "interrupted: " + error.reason;
    } else if (!options_.command.empty()) {
      error.reason = "the command has ended, but " + error.reason;
      error.hint += fmt::format(
          "; a client still connected when the command ends has {} to finish (--return-time)",
          format_duration(options_.return_time));
    }
    return error;
  }
  SHUNT_TRY(clients.all_granted());
  // A disk of size 0 cannot be written to.
  if (!clients.changed() && !options_.allow_empty && sink.size() > 0) return nobody_wrote();
  return {};
}

Result<void> Session::end(sink::Sink& sink) {
  return sink.finish([&] {
    show_progress(sink);
    return requests() > requests_for_end();
  });
}

Result<void> Session::serve(sink::Sink& sink, Listeners& listeners, Trace& trace) {
  SinkServer server(sink, std::move(listeners.sockets), trace);
  SHUNT_TRY(server.start());
  report_.began = true;
  if (options_.listening) options_.listening(listeners.uri);
  Result<void> done;
  if (options_.command.empty()) {
    done = wait_for_end(sink, server);
  } else {
    SHUNT_ASSIGN(Child child, Child::start(options_.command,
                                           {{"uri", listeners.uri},
                                            {"unixsocket", listeners.socket_path},
                                            {"size", std::to_string(sink.size())}},
                                           options_.command_output));
    done = wait_for_command(sink, server, child);
    if (done) done = wait_for_clients(sink, server);
  }
  // A failure of the server explains those of the clients and the command.
  SHUNT_TRY(server.stop([&] {
    if (requests() > requests_for_end()) trace.give_up();
  }));
  SHUNT_TRY(done);
  return judge(sink, server.clients());
}

Result<void> Session::run() {
  Listeners listeners;
  SHUNT_TRY(listeners.open(options_.address));
  Trace trace;
  if (!options_.trace.empty()) {
    static const CancelToken never;
    SHUNT_ASSIGN(trace, Trace::to_file(
                            options_.trace, options_.replace_trace,
                            options_.context.cancel != nullptr ? *options_.context.cancel : never));
  }
  SHUNT_ASSIGN(const std::unique_ptr<sink::Sink> sink,
               sink::Sink::start(out_.file(), options_.disk));
  options_.context.begin("streaming", options_.disk.size);
  Result<void> done = serve(*sink, listeners, trace);
  // A failure of the output explains those of the clients and the command.
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

SessionReport run_session(const SessionOptions& options, files::Destination& out) {
  SessionReport report;
  const Stopwatch stopwatch;
  Session session(options, out, report);
  Result<void> done = session.run();
  if (done) done = out.commit();
  if (!done) report.error = done.error();
  report.seconds = stopwatch.seconds();
  return report;
}

}  // namespace shunt::serve
