// A connected socket that does not block, as a Transport.
#pragma once

#include "io/fd.h"
#include "nbd/channel.h"

namespace shunt::nbd {

class SocketTransport : public Transport {
 public:
  // Sets what a connection needs.
  explicit SocketTransport(io::Fd socket);

  [[nodiscard]] Moved receive(std::span<const iovec> into) override;
  [[nodiscard]] Moved send(std::span<const iovec> from) override;
  [[nodiscard]] int number() const { return socket_.get(); }

 private:
  io::Fd socket_;
};

}  // namespace shunt::nbd
