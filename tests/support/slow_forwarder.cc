#include "support/slow_forwarder.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace shunt::test {

SlowForwarder::SlowForwarder(std::string host, std::uint16_t port, double latency,
                             std::uint64_t rate)
    : host_(std::move(host)),
      server_port_(port),
      latency_(latency),
      rate_(rate),
      listener_([this](Socket& client) { serve(client); }) {}

void SlowForwarder::serve(Socket& client) {
  using Clock = std::chrono::steady_clock;
  const int number = connect_loopback(host_, server_port_);
  if (number < 0) return;
  Socket server(number);
  listener_.pause(latency_);  // to connect takes a round trip too

  std::vector<char> buffer(rate_ == 0 ? 256 << 10
                                      : std::clamp<std::uint64_t>(rate_ / 50, 1, 65536));
  bool asking = false;  // the latest bytes came from the client
  auto started = Clock::now();
  std::uint64_t sent = 0;
  while (!listener_.stopping()) {
    pollfd sides[2] = {{client.number(), POLLIN, 0}, {server.number(), POLLIN, 0}};
    if (::poll(sides, 2, 50) <= 0) continue;
    if (sides[0].revents != 0) {
      const std::size_t count = client.read(buffer);
      if (count == 0) break;
      if (!asking) listener_.pause(latency_);
      asking = true;
      if (!server.write(std::span(buffer).first(count))) break;
    }
    if (sides[1].revents != 0) {
      const std::size_t count = server.read(buffer);
      if (count == 0) break;
      if (asking) {
        started = Clock::now();
        sent = 0;
      }
      asking = false;
      if (!client.write(std::span(buffer).first(count))) break;
      sent += count;
      if (rate_ == 0) continue;
      const double due = static_cast<double>(sent) / static_cast<double>(rate_);
      const std::chrono::duration<double> spent = Clock::now() - started;
      if (due > spent.count()) listener_.pause(due - spent.count());
    }
  }
}

}  // namespace shunt::test
