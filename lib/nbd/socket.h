// A connected non-blocking socket as a Transport.
#pragma once

#include <sys/types.h>

#include "shunt/io/fd.h"
#include "shunt/nbd/channel.h"

namespace shunt::nbd {

class SocketTransport : public Transport {
 public:
  // Sets the socket's options.
  explicit SocketTransport(io::Fd socket);

  [[nodiscard]] Moved receive(std::span<const iovec> into) override;
  [[nodiscard]] Moved send(std::span<const iovec> from) override;
  [[nodiscard]] int number() const { return socket_.get(); }
  // The process at the other end of a unix socket; 0: unknown.
  [[nodiscard]] pid_t peer_process() const;

 private:
  io::Fd socket_;
};

}  // namespace shunt::nbd
