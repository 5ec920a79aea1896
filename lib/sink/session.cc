#include "sink/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/clock.h"
#include "io/path.h"
#include "nbd/server.h"
#include "sink/nbd_export.h"
#include "sink/trace.h"

namespace shunt::sink {
namespace {

constexpr int kAskAgain = 100;  // ms

// The sockets, what they are called, and what has to be taken away behind them.
class Listeners {
 public:
  Listeners() = default;
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;
  ~Listeners() {
    if (!socket_path.empty()) (void)::unlink(socket_path.c_str());
    if (!folder_.empty()) (void)::rmdir(folder_.c_str());
  }

  Result<void> open(const Address& address) {
    switch (address.kind) {
      case Address::Kind::kPrivate: {
        const char* const parent = std::getenv("XDG_RUNTIME_DIR");
        std::string pattern =
            fmt::format("{}/shunt-XXXXXX", parent != nullptr && *parent != '\0' ? parent : "/tmp");
        if (::mkdtemp(pattern.data()) == nullptr) return system_error(errno, pattern, "create");
        folder_ = pattern;
        return open_unix(folder_ + "/nbd.sock");
      }
      case Address::Kind::kUnix:
        return open_unix(address.path);
      case Address::Kind::kTcp: {
        SHUNT_ASSIGN(nbd::TcpListener listener, nbd::listen_tcp(address.host, address.port));
        uri = nbd::tcp_uri(address.host, listener.port);
        sockets.push_back(std::move(listener.socket));
        return {};
      }
      case Address::Kind::kInherited: {
        SHUNT_ASSIGN(sockets, nbd::inherited_listeners());
        return {};
      }
    }
    return {};
  }

  std::vector<io::Fd> sockets;
  std::string uri;          // empty: we were not told
  std::string socket_path;  // empty: none

 private:
  Result<void> open_unix(const std::string& path) {
    SHUNT_ASSIGN(io::Fd socket, nbd::listen_unix(path));
    socket_path = path;
    uri = nbd::unix_uri(path);
    sockets.push_back(std::move(socket));
    return {};
  }

  std::string folder_;
};

// The server in a thread of its own.
class Serving {
 public:
  Serving(Sink& sink, std::vector<io::Fd> sockets, Trace& trace)
      : sink_(sink), export_(sink), server_(export_, std::move(sockets), server_options(trace)) {
    sink.on_progress([this] { server_.wake(); });
    thread_ = std::thread([this] { result_ = server_.run(never_); });
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
  // Clients have been there, and have gone.
  [[nodiscard]] bool deserted() const { return deserted_; }
  // One that wrote has gone without a word.
  [[nodiscard]] bool broken_off() const { return broken_off_; }

 private:
  nbd::ServerOptions server_options(Trace& trace) {
    nbd::ServerOptions options;
    options.served = [this, &trace](const nbd::Served& served) {
      trace.note(served);
      deserted_ = false;
    };
    options.disconnected = [this](const nbd::Departure& departure) {
      if (departure.broken_off) broken_off_ = true;
      deserted_ = departure.left == 0;
    };
    return options;
  }

  Sink& sink_;
  std::atomic<bool> deserted_{false};
  std::atomic<bool> broken_off_{false};
  const CancelToken never_;
  NbdExport export_;
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
  while (requests() == 0) {
    if (options_.until_disconnect && serving.deserted()) {
      if (!serving.broken_off()) return {};
      Error error;
      error.reason = "a client that wrote went away without taking leave";
      return error;
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
  const Result<void> served = serving.stop();
  SHUNT_TRY(done);
  return served;
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
  if (done || sink->is_sent(0).has_value() == false) {
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

Result<Address> parse_address(std::string_view text) {
  Address address;
  if (text == "fd") {
    address.kind = Address::Kind::kInherited;
    return address;
  }
  if (text.starts_with("unix:") && text.size() > 5) {
    address.kind = Address::Kind::kUnix;
    address.path = text.substr(5);
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (text.starts_with("tcp:") && colon > 4) {
    address.kind = Address::Kind::kTcp;
    std::string_view host = text.substr(4, colon - 4);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    address.host = host;
    const std::string_view port = text.substr(colon + 1);
    const auto [end, problem] =
        std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (problem == std::errc() && end == port.data() + port.size() && !host.empty()) return address;
  }
  return usage(fmt::format("\"{}\" is no address: unix:PATH, tcp:HOST:PORT or fd", text));
}

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
