// The fault server and the slow forwarder as a program, for command-line tests and benchmarks.
#include <CLI/CLI.hpp>
#include <signal.h>
#include <stdio.h>

#include <fstream>
#include <memory>
#include <mutex>

#include "support/fault_profile.h"
#include "support/fault_server.h"
#include "support/slow_forwarder.h"

namespace {

using namespace shunt::test;

struct Options {
  BlobServerOptions blob;
  std::string port_file;
  std::string faults;
  std::string log;
  std::string forward;
  double latency_ms = 0;
  std::uint64_t rate = 0;
};

// Written atomically.
void write_port(const std::string& path, std::uint16_t port) {
  std::ofstream(path + ".new") << port << '\n';
  if (::rename((path + ".new").c_str(), path.c_str()) != 0) throw std::runtime_error(path);
}

void wait_for_signal(const sigset_t& signals) {
  int number = 0;
  sigwait(&signals, &number);
}

void run_forwarder(const Options& options, const sigset_t& signals) {
  const auto colon = options.forward.rfind(':');
  if (colon == std::string::npos) throw std::invalid_argument("--forward wants HOST:PORT");
  const SlowForwarder forwarder(
      options.forward.substr(0, colon),
      static_cast<std::uint16_t>(std::stoul(options.forward.substr(colon + 1))),
      options.latency_ms / 1000, options.rate);
  write_port(options.port_file, forwarder.port());
  wait_for_signal(signals);
}

void run_server(Options options, const sigset_t& signals) {
  options.blob.latency = options.latency_ms / 1000;
  options.blob.rate = options.rate;
  std::ofstream log_file;
  std::mutex mutex;
  FaultServer::Log log;
  if (!options.log.empty()) {
    log_file.open(options.log, std::ios::app);
    log = [&](const SeenRequest& request, int status, std::uint64_t sent) {
      const std::string range = request.has("range") ? request.field("range") : "-";
      const std::lock_guard lock(mutex);
      log_file << request.method << ' ' << request.target << ' ' << range << ' ' << status << ' '
               << sent << std::endl;
    };
  }
  const FaultServer server(
      options.blob,
      options.faults.empty() ? FaultServer::Judge() : make_fault_profile(options.faults), log);
  write_port(options.port_file, server.port());
  wait_for_signal(signals);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Serves a pseudo-random blob on a free port of 127.0.0.1, with faults, until SIGTERM");
  Options options;
  app.add_option("--size", options.blob.size, "bytes of the blob");
  app.add_option("--seed", options.blob.seed, "which blob");
  app.add_option("--etag", options.blob.etag, "its ETag, with quotes; -: none");
  app.add_option("--last-modified", options.blob.last_modified, "-: none");
  app.add_option("--port-file", options.port_file, "where to write the port")->required();
  app.add_option("--faults", options.faults, "as in tests/support/fault_profile.h");
  app.add_option("--latency", options.latency_ms, "milliseconds before each answer");
  app.add_option("--rate", options.rate, "bytes a second of each connection");
  app.add_option("--log", options.log, "one line a request: METHOD TARGET RANGE STATUS BYTES");
  app.add_option("--forward", options.forward, "HOST:PORT to pass everything on to, instead");
  CLI11_PARSE(app, argc, argv);

  // Before any thread starts, so that sigwait() receives the signal.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  try {
    options.forward.empty() ? run_server(options, signals) : run_forwarder(options, signals);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "faultserver: %s\n", error.what());
    return 1;
  }
  return 0;
}
