// Both directions of one connection: a small buffer of received bytes, and unsent replies. Nothing
// here blocks.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "shunt/nbd/negotiation.h"
#include "shunt/nbd/wire.h"

namespace shunt::nbd {

// The transport of a connection: a socket, or memory in a test.
class Transport {
 public:
  virtual ~Transport() = default;

  struct Moved {
    std::size_t bytes = 0;  // 0: would block
    bool ended = false;     // the connection has ended
  };
  [[nodiscard]] virtual Moved receive(std::span<const iovec> into) = 0;
  [[nodiscard]] virtual Moved send(std::span<const iovec> from) = 0;
};

class Channel {
 public:
  // `transport` is not owned and outlives it.
  explicit Channel(Transport& transport) : transport_(&transport) {}

  // Received bytes not yet consumed; a whole option or request always fits.
  [[nodiscard]] std::span<const std::byte> received() const {
    return {inbox_.get() + begin_, end_ - begin_};
  }
  void consume(std::size_t size);
  // Receives more. Returns false if there is nothing now, or the connection has ended.
  bool receive();
  // Fills `into` from received bytes, then from the transport, as far as it has any. Further bytes
  // stay in received(). Returns the number of bytes.
  std::size_t receive_payload(std::span<std::byte> into);

  // Replies to be appended to; sent by the next flush() or send().
  [[nodiscard]] Bytes& replies() { return replies_; }
  [[nodiscard]] bool all_out() const { return sent_ == replies_.size(); }
  // Sends the remaining replies; returns true once all are sent.
  bool flush();
  // Sends the replies, then `data`, then `after`, in one call. Returns how much of `data` was sent;
  // the rest must be passed again. Once all data is sent, the rest of `after` is kept.
  std::size_t send(std::span<const std::byte> data, std::span<const std::byte> after);

  // True if the peer is gone.
  [[nodiscard]] bool ended() const { return ended_; }
  // Totals since the beginning, in bytes.
  [[nodiscard]] std::uint64_t received_total() const { return received_total_; }
  [[nodiscard]] std::uint64_t consumed_total() const { return received_total_ - received().size(); }

 private:
  static constexpr std::size_t kInboxSize = kOptionHeaderSize + kMostOptionData;

  // The free part of the inbox, after moving its content to the front.
  std::span<std::byte> room();
  std::size_t receive(std::span<const iovec> into);
  std::size_t send_some(std::span<const iovec> from);

  Transport* transport_;
  std::unique_ptr<std::byte[]> inbox_;  // allocated when something is to be received
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Bytes replies_;
  std::size_t sent_ = 0;  // bytes of replies_ that were sent
  bool ended_ = false;
  std::uint64_t received_total_ = 0;
};

}  // namespace shunt::nbd
