// The transmission phase of one connection: takes its requests one after another and serves them
// (doc/proto.md, "Transmission"). It knows no sockets and does not wait.
//
// A reply is out before the next request is looked at. Payloads pass through one buffer that all
// connections share: what was received is handed on at once, and of a READ only what the transport
// took counts as read, so that nothing is kept for a client that does not take its replies.
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
  kInput,   // for the client to say something
  kOutput,  // for the client to take its replies
  kExport,  // for the export: ready(), flushed(), read()
  kAgain,   // for nothing: there is more to be done
  kClosed,  // it is over
};

// What all connections of a server have in common. Not owned.
struct Shared {
  Export& target;
  const std::function<void(const Served&)>& served;
  std::span<std::byte> piece;  // kPieceSize bytes that nobody keeps anything in
};

class Transmission {
 public:
  Transmission(Channel& channel, const Shared& shared, const Rules& rules, std::uint64_t number);

  // One step: a request, or a piece of one. Replies of the step before have to be out.
  Next step();
  // Serves what was received whole; then, instead of waiting, ends.
  void stop();
  // What the client has asked for so far.
  enum class Asked { kNothing, kNoChange, kChange };
  [[nodiscard]] Asked asked() const { return asked_; }
  // It has said that it is done (NBD_CMD_DISC).
  [[nodiscard]] bool taken_leave() const { return taken_leave_; }
  // Whether a request is being served.
  [[nodiscard]] bool serving() const { return phase_ != Phase::kIdle; }
  // Whether the client is in the middle of saying something.
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
  std::optional<Failure> failure_;     // what is to be answered once the payload is taken
  std::uint32_t left_ = 0;             // of the payload, or of the data to be sent
  bool data_begun_ = false;            // the header of a READ's data is on its way
  std::size_t send_size_;              // how much data the client is expected to take
  std::optional<std::uint64_t> last_;  // after stop(): requests beyond are not served
};

}  // namespace shunt::nbd
