// Both directions of one connection: a small buffer of what was received, and the replies that are
// not out yet. Nothing here waits.
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

// What a connection talks through: a socket, or the memory of a test.
class Transport {
 public:
  virtual ~Transport() = default;

  struct Moved {
    std::size_t bytes = 0;  // 0: nothing goes now
    bool ended = false;     // nothing will go any more
  };
  [[nodiscard]] virtual Moved receive(std::span<const iovec> into) = 0;
  [[nodiscard]] virtual Moved send(std::span<const iovec> from) = 0;
};

class Channel {
 public:
  // `transport` is not owned.
  explicit Channel(Transport& transport) : transport_(&transport) {}

  // What was received and not consumed; a whole option or request always finds room.
  [[nodiscard]] std::span<const std::byte> received() const {
    return {inbox_.get() + begin_, end_ - begin_};
  }
  void consume(std::size_t size);
  // More of it. False: there is nothing now, or never again.
  bool receive();
  // Fills `into` from what was received, and then from the transport as long as that has
  // something. Bytes that come behind are kept as received. Returns how many there were.
  std::size_t receive_payload(std::span<std::byte> into);

  // Appended to; goes out with the next flush() or send().
  [[nodiscard]] Bytes& replies() { return replies_; }
  [[nodiscard]] bool all_out() const { return sent_ == replies_.size(); }
  // Sends what is left of the replies; true when all are out.
  bool flush();
  // Sends the replies, then `data`, then `after`, in one call. Returns how much of `data` is out;
  // it has to come again from there. What is left of `after`, once all data is out, is kept.
  std::size_t send(std::span<const std::byte> data, std::span<const std::byte> after);

  // The other side is gone.
  [[nodiscard]] bool ended() const { return ended_; }
  // Since the beginning, in bytes.
  [[nodiscard]] std::uint64_t received_total() const { return received_total_; }
  [[nodiscard]] std::uint64_t consumed_total() const { return received_total_ - received().size(); }

 private:
  static constexpr std::size_t kInboxSize = kOptionHeaderSize + kMostOptionData;

  // The free part of the inbox, all of it that can be had.
  std::span<std::byte> room();
  std::size_t receive(std::span<const iovec> into);
  std::size_t send_some(std::span<const iovec> from);

  Transport* transport_;
  std::unique_ptr<std::byte[]> inbox_;  // there once something is to be received
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Bytes replies_;
  std::size_t sent_ = 0;  // of replies_
  bool ended_ = false;
  std::uint64_t received_total_ = 0;
};

}  // namespace shunt::nbd
