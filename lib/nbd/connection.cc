#include "shunt/nbd/connection.h"

#include "shunt/base/log.h"

namespace shunt::nbd {

namespace {

// Steps before other connections get their turn: 4 MiB of payload.
constexpr int kFairShare = 16;

}  // namespace

Connection::Connection(Transport& transport, const Shared& shared, const Offer& offer,
                       const Limits& limits, std::uint64_t number)
    : channel_(transport),
      shared_(shared),
      rules_{offer.size, limits.read_bytes, offer.features, {}},
      number_(number),
      negotiation_(offer, {limits.options, limits.option_bytes}) {
  Negotiation::greet(channel_.replies());
}

Next Connection::serve() {
  for (int i = 0; i < kFairShare; ++i) {
    if (!channel_.flush()) return channel_.ended() ? Next::kClosed : Next::kOutput;
    const Next next = step();
    if (next != Next::kAgain) return next;
  }
  return Next::kAgain;
}

void Connection::stop() {
  stopping_ = true;
  if (transmission_) transmission_->stop();
}

bool Connection::within_request() const {
  return transmission_ && transmission_->within_request();
}

Transmission::Asked Connection::asked() const {
  return transmission_ ? transmission_->asked() : Transmission::Asked::kNothing;
}

Departure Connection::departure(std::size_t left) const {
  return {.connection = number_,
          .left = left,
          .asked_for_change = asked() == Transmission::Asked::kChange,
          .took_leave = transmission_ && transmission_->taken_leave(),
          .unanswered = transmission_ && (!channel_.received().empty() || !channel_.all_out() ||
                                          transmission_->serving())};
}

Next Connection::step() {
  if (transmission_) return transmission_->step();
  return stopping_ ? Next::kClosed : negotiate();
}

Next Connection::negotiate() {
  switch (negotiation_.state()) {
    case Negotiation::State::kTransmission:
      rules_.agreed = negotiation_.agreed();
      transmission_.emplace(channel_, shared_, rules_, number_);
      return Next::kAgain;
    case Negotiation::State::kEnded:
      return Next::kClosed;
    case Negotiation::State::kBroken:
      log::debug("nbd: connection {}: {}", number_, negotiation_.why());
      return Next::kClosed;
    case Negotiation::State::kGoingOn:
      break;
  }
  const std::size_t taken = negotiation_.take(channel_.received(), channel_.replies());
  channel_.consume(taken);
  if (taken > 0 || negotiation_.state() != Negotiation::State::kGoingOn) return Next::kAgain;
  if (channel_.receive()) return Next::kAgain;
  return channel_.ended() ? Next::kClosed : Next::kInput;
}

}  // namespace shunt::nbd
