// One connection: negotiation, then transmission. It uses no sockets and no clock; the server does.
#pragma once

#include <cstdint>
#include <optional>

#include "shunt/nbd/channel.h"
#include "shunt/nbd/negotiation.h"
#include "shunt/nbd/transmission.h"

namespace shunt::nbd {

class Connection {
 public:
  // None of these is owned; all outlive it.
  Connection(Transport& transport, const Shared& shared, const Offer& offer, const Limits& limits,
             std::uint64_t number);

  // Does what can be done now, up to a fair share.
  Next serve();
  // The server stops: see Transmission::stop(). Ends a negotiation at once.
  void stop();

  [[nodiscard]] bool negotiating() const { return !transmission_; }
  // True if a request has been received in part.
  [[nodiscard]] bool within_request() const;
  [[nodiscard]] Transmission::Asked asked() const;
  [[nodiscard]] Departure departure(std::size_t left) const;
  [[nodiscard]] std::uint64_t received_total() const { return channel_.received_total(); }
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  Next step();
  Next negotiate();

  Channel channel_;
  Shared shared_;
  Rules rules_;
  std::uint64_t number_;
  Negotiation negotiation_;
  std::optional<Transmission> transmission_;
  bool stopping_ = false;
};

}  // namespace shunt::nbd
