// The event loop of Server: polls all sockets (poll(2)), accepts connections, enforces limits.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "shunt/nbd/connection.h"
#include "shunt/nbd/server.h"
#include "shunt/nbd/socket.h"

namespace shunt::nbd {

class Server::Loop {
 public:
  Loop(Export& target, std::vector<io::Fd> listeners, ServerOptions options);

  Result<void> prepare();
  Result<void> run(const CancelToken& cancel);
  void wake();
  void stop();

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    Client(io::Fd socket, const Shared& shared, const Offer& offer, const Limits& limits,
           std::uint64_t number, Clock::time_point now)
        : transport(std::move(socket)),
          connection(transport, shared, offer, limits, number),
          began(now),
          heard(now) {}

    SocketTransport transport;
    Connection connection;
    Next next = Next::kAgain;
    Clock::time_point began;
    Clock::time_point heard;  // when bytes last came, or the export was last waited for
    std::uint64_t received = 0;
  };

  // Polls once and serves. `listening`: accepts new connections.
  Result<void> turn(bool listening, int timeout_ms);
  Result<bool> wait(bool listening, int timeout_ms);
  void serve(Client& client, Clock::time_point now);
  void serve_ready(bool all, Clock::time_point now);
  void close_late(Clock::time_point now);
  void remove_closed();
  Result<void> accept_from(int listener, Clock::time_point now);
  [[nodiscard]] Result<void> no_descriptor(int number, Clock::time_point now);
  bool make_room();
  [[nodiscard]] Client* eviction_victim() const;
  void finish();
  [[nodiscard]] int timeout(Clock::time_point now) const;
  [[nodiscard]] Clock::time_point deadline(const Client& client) const;
  void signal_event();

  Export& target_;
  std::vector<io::Fd> listeners_;
  ServerOptions options_;
  Offer offer_;
  std::vector<std::byte> piece_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<pollfd> polled_;  // event_, then clients, then listeners
  std::uint64_t connections_ = 0;
  Clock::time_point accept_after_{};
  // Closed to accept a client when no other descriptor is free, and reopened when no client is
  // there: so at least one client at a time can be served.
  io::Fd reserve_;
  std::optional<Clock::time_point> without_descriptors_since_;
  bool told_of_descriptors_ = false;
  bool stopping_clients_ = false;
  io::Fd event_;
  std::atomic<bool> stop_{false};
};

}  // namespace shunt::nbd
