// Forwards between a client and a real server and makes the path long: each request waits for a
// round trip, each connection has a rate limit. Works on bytes, not HTTP.
#pragma once

#include <cstdint>
#include <string>

#include "support/loopback.h"

namespace shunt::test {

class SlowForwarder {
 public:
  // `latency` in seconds, `rate` in bytes a second of one connection (0: no limit).
  SlowForwarder(std::string host, std::uint16_t port, double latency, std::uint64_t rate);
  ~SlowForwarder() { listener_.stop(); }

  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

 private:
  void serve(Socket& client);

  const std::string host_;
  const std::uint16_t server_port_;
  const double latency_;
  const std::uint64_t rate_;
  Listener listener_;
};

}  // namespace shunt::test
