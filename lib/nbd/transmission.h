// The transmission phase of one connection: serves its requests one after another (doc/proto.md,
// "Transmission"). It uses no sockets and does not block.
//
// A reply is sent before the next request is read. Payloads pass through one buffer shared by all
// connections: received data goes to the export at once, and data of a READ that the transport did
// not take is read again later, so that nothing is stored for a client that does not take its
// replies.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "shunt/nbd/channel.h"
#include "shunt/nbd/export.h"
#include "shunt/nbd/request.h"
#include "shunt/nbd/server.h"

namespace shunt::nbd {

// What a connection waits for.
enum class Next {
  kInput,   // more from the client
  kOutput,  // the client to take replies
  kExport,  // the export: ready(), flushed(), read()
  kAgain,   // nothing: call again
  kClosed,  // nothing: it is closed
};

// What all connections of a server share. Not owned; outlives them.
struct Shared {
  Export& target;
  const std::function<void(const Served&)>& served;
  std::span<std::byte> piece;  // kPieceSize bytes; contents do not last beyond a call
};

class Transmission {
 public:
  Transmission(Channel& channel, const Shared& shared, const Rules& rules, std::uint64_t number);

  // Does one step: a request, or a piece of one. The replies of the previous step must have been
  // sent.
  Next step();
  // From now on serves only requests that were received completely, and ends instead of waiting.
  void stop();
  // What the client has requested so far.
  enum class Asked { kNothing, kNoChange, kChange };
  [[nodiscard]] Asked asked() const { return asked_; }
  // True if the client sent NBD_CMD_DISC.
  [[nodiscard]] bool taken_leave() const { return taken_leave_; }
  // True while a request is being served.
  [[nodiscard]] bool serving() const { return phase_ != Phase::kIdle; }
  // True if a request has been received in part.
  [[nodiscard]] bool within_request() const;

 private:
  enum class Phase { kIdle, kStart, kPayload, kData, kFlush };

  Next next_request();
  Next start();
  Next start_write();
  Next take_payload();
  Next change();
  Next changed();
  Next start_flush();
  Next flush();
  Next send_data();
  Next block_status();
  Next fail(Failure failure);
  Next answer();
  Next finished();
  Next wait_for_export();
  bool came_too_late() const;

  Channel* channel_;
  Shared shared_;
  Rules rules_;
  std::uint64_t number_;
  Phase phase_ = Phase::kIdle;
  Asked asked_ = Asked::kNothing;
  bool taken_leave_ = false;
  Request request_;
  std::optional<Failure> failure_;     // the reply to send once the payload is read
  std::uint32_t left_ = 0;             // bytes of the payload to read, or of the data to send
  bool data_begun_ = false;            // the header of a READ's data has been sent
  std::size_t send_size_;              // number of data bytes that the client is expected to take
  std::optional<std::uint64_t> last_;  // after stop(): received bytes up to which it serves
};

}  // namespace shunt::nbd
