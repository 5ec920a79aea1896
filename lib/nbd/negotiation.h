// Fixed newstyle negotiation as a state machine: bytes of the client in, replies out (doc/proto.md,
// "Handshake"). It uses no sockets and no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "shunt/nbd/export.h"
#include "shunt/nbd/protocol.h"
#include "shunt/nbd/wire.h"

namespace shunt::nbd {

// The largest data of one option, in bytes; a larger one is skipped and answered with ERR_TOO_BIG.
inline constexpr std::size_t kMostOptionData = 16 << 10;

// What clients are told about the export, whose name is "".
struct Offer {
  std::uint64_t size = 0;
  Features features;
  std::uint32_t largest_request = kLargestWrite;
  std::string description;  // may be empty

  [[nodiscard]] std::uint16_t transmission_flags(bool structured_replies) const;
};

struct NegotiationLimits {
  std::uint32_t options = 128;
  std::uint32_t option_bytes = 64 << 10;  // of all options together
};

// What was agreed on for the transmission phase.
struct Agreed {
  bool structured_replies = false;
  bool allocation = false;  // the context "base:allocation"
};

class Negotiation {
 public:
  enum class State {
    kGoingOn,
    kTransmission,
    kEnded,   // by the client; close after the last reply
    kBroken,  // protocol error, see why(); close at once
  };

  // `offer` is not owned and outlives it.
  Negotiation(const Offer& offer, NegotiationLimits limits) : offer_(&offer), limits_(limits) {}

  // Appends the server's greeting.
  static void greet(Bytes& replies);

  // Takes at most one message from the front of `received` and appends the reply. Returns the
  // number of bytes taken; 0: the message is incomplete, or none is expected. A message is complete
  // with kOptionHeaderSize + kMostOptionData bytes at the latest.
  std::size_t take(std::span<const std::byte> received, Bytes& replies);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::string_view why() const { return why_; }
  [[nodiscard]] const Agreed& agreed() const { return agreed_; }

 private:
  std::size_t take_client_flags(std::span<const std::byte> received);
  std::size_t take_option(std::span<const std::byte> received, Bytes& replies);
  std::size_t pass_over(std::span<const std::byte> received, Bytes& replies);
  bool count(std::uint32_t data_size);
  void answer(std::span<const std::byte> data, Bytes& replies);
  void export_name(std::span<const std::byte> data, Bytes& replies);
  void list(std::span<const std::byte> data, Bytes& replies);
  void info(std::span<const std::byte> data, Bytes& replies);
  void meta_context(std::span<const std::byte> data, Bytes& replies);
  void refuse(Bytes& replies, OptionReply type, std::string_view text) const;
  void reply(Bytes& replies, OptionReply type, std::span<const std::byte> data) const;
  void acknowledge(Bytes& replies) const { reply(replies, OptionReply::kAck, {}); }
  void broken(std::string_view why);

  const Offer* offer_;
  NegotiationLimits limits_;
  State state_ = State::kGoingOn;
  std::string_view why_;
  Agreed agreed_;
  bool flags_known_ = false;
  bool no_zeroes_ = false;
  std::uint32_t options_ = 0;
  std::uint32_t option_bytes_ = 0;
  std::uint32_t to_pass_over_ = 0;
  Option option_{};  // the one being answered; may be unknown
};

}  // namespace shunt::nbd
