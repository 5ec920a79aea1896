// A connected socket that does not block, as a Transport.
#pragma once

#include <sys/types.h>

#include "shunt/io/fd.h"
#include "shunt/nbd/channel.h"

namespace shunt::nbd {

class SocketTransport : public Transport {
 public:
  // Sets what a connection needs.
  explicit SocketTransport(io::Fd socket);

  [[nodiscard]] Moved receive(std::span<const iovec> into) override;
  [[nodiscard]] Moved send(std::span<const iovec> from) override;
  [[nodiscard]] int number() const { return socket_.get(); }
  // Which is at the other end of a unix socket; 0: not known.
  [[nodiscard]] pid_t peer_process() const;

 private:
  io::Fd socket_;
};

}  // namespace shunt::nbd
