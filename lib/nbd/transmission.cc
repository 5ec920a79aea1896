#include "shunt/nbd/transmission.h"

#include <algorithm>
#include <utility>

#include "shunt/base/log.h"
#include "shunt/nbd/reply.h"

namespace shunt::nbd {

namespace {

// An unwanted payload is read and discarded to keep the connection; a client that announces more
// than this is disconnected.
constexpr std::uint32_t kMostThrownAway = 64U << 20U;
constexpr std::size_t kLeastSend = 16 << 10;
constexpr std::size_t kMostExtents = 512;

}  // namespace

Transmission::Transmission(Channel& channel, const Shared& shared, const Rules& rules,
                           std::uint64_t number)
    : channel_(&channel),
      shared_(shared),
      rules_(rules),
      number_(number),
      send_size_(shared.piece.size()) {}

Next Transmission::step() {
  switch (phase_) {
    case Phase::kIdle:
      return next_request();
    case Phase::kStart:
      return start();
    case Phase::kPayload:
      return take_payload();
    case Phase::kData:
      return send_data();
    case Phase::kFlush:
      return flush();
  }
  return Next::kClosed;
}

void Transmission::stop() {
  last_ = channel_->received_total();
}

bool Transmission::within_request() const {
  return phase_ == Phase::kPayload || !channel_->received().empty();
}

bool Transmission::came_too_late() const {
  return last_ && channel_->consumed_total() > *last_;
}

Next Transmission::next_request() {
  const auto received = channel_->received();
  if (received.size() < kRequestSize) {
    if (channel_->receive()) return Next::kAgain;
    return channel_->ended() || last_ ? Next::kClosed : Next::kInput;
  }
  const auto request = decode_request(received.first<kRequestSize>());
  if (!request) {
    log::debug("nbd: connection {}: no request where one is expected", number_);
    return Next::kClosed;
  }
  if (request->command == Command::kDisconnect) {
    taken_leave_ = true;
    return Next::kClosed;
  }
  asked_ = std::max(asked_, request->changes() ? Asked::kChange : Asked::kNoChange);
  channel_->consume(kRequestSize);
  request_ = *request;
  failure_ = check_request(request_, rules_);
  if (!failure_ && came_too_late()) failure_ = {Errno::kShutdown, "the server is stopping"};
  left_ = request_.has_payload() ? request_.length : 0;
  if (left_ > kMostThrownAway) {
    phase_ = Phase::kPayload;  // not answered yet
    log::debug("nbd: connection {}: a write of {} bytes", number_, left_);
    return Next::kClosed;
  }
  if (!failure_) {
    phase_ = Phase::kStart;
    return start();
  }
  if (left_ == 0) return answer();
  phase_ = Phase::kPayload;
  return Next::kAgain;
}

Next Transmission::wait_for_export() {
  if (!last_) return Next::kExport;
  return fail({Errno::kShutdown, "the server is stopping"});
}

Next Transmission::start() {
  if (request_.changes() && !shared_.target.ready()) return wait_for_export();
  switch (request_.command) {
    case Command::kRead:
      left_ = request_.length;
      data_begun_ = false;
      phase_ = Phase::kData;
      return send_data();
    case Command::kWrite:
      return start_write();
    case Command::kFlush:
      return start_flush();
    case Command::kTrim:
    case Command::kWriteZeroes:
      return change();
    case Command::kBlockStatus:
      return block_status();
    case Command::kDisconnect:
      break;
  }
  return Next::kClosed;
}

Next Transmission::start_write() {
  if (const auto allowed = shared_.target.may_write(request_.range()); !allowed) {
    failure_ = failure_of(allowed.error(), request_);
  }
  phase_ = Phase::kPayload;
  return take_payload();
}

Next Transmission::take_payload() {
  if (left_ == 0) return failure_ ? answer() : changed();
  if (!failure_ && !shared_.target.ready()) return wait_for_export();
  const auto piece = shared_.piece.first(std::min<std::size_t>(shared_.piece.size(), left_));
  const std::size_t got = channel_->receive_payload(piece);
  if (got == 0) return channel_->ended() || last_ ? Next::kClosed : Next::kInput;
  if (!failure_) {
    const std::uint64_t offset = request_.range().end - left_;
    if (const auto written = shared_.target.write(offset, piece.first(got)); !written) {
      failure_ = failure_of(written.error(), request_);
    }
  }
  left_ -= static_cast<std::uint32_t>(got);
  return left_ == 0 ? take_payload() : Next::kAgain;
}

Next Transmission::change() {
  const auto done =
      request_.command == Command::kTrim
          ? shared_.target.trim(request_.range())
          : shared_.target.zero(request_.range(),
                                request_.has(kFlagNoHole) ? Zeroing::kNoHole : Zeroing::kMayTrim);
  if (!done) return fail(failure_of(done.error(), request_));
  return changed();
}

Next Transmission::changed() {
  return request_.has(kFlagFua) ? start_flush() : answer();
}

Next Transmission::start_flush() {
  if (const auto started = shared_.target.start_flush(); !started) {
    return fail(failure_of(started.error(), request_));
  }
  phase_ = Phase::kFlush;
  return flush();
}

Next Transmission::flush() {
  const auto done = shared_.target.flushed();
  if (!done) return fail(failure_of(done.error(), request_));
  return *done ? answer() : wait_for_export();
}

// Reads a piece and sends what the client takes of it; the rest is read again later.
Next Transmission::send_data() {
  const bool structured = rules_.agreed.structured_replies;
  const auto piece = shared_.piece.first(std::min<std::size_t>(send_size_, left_));
  if (!failure_) {
    const auto read = shared_.target.read(request_.range().end - left_, piece);
    if (!read) {
      failure_ = failure_of(read.error(), request_);
    } else if (!*read) {
      if (!last_) return Next::kExport;
      failure_ = {Errno::kShutdown, "the server is stopping"};
    }
    if (failure_ && !data_begun_) return answer();
    if (failure_ && !structured) {
      log::debug("nbd: connection {}: failed within a read: {}", number_, failure_->text);
      finished();
      return Next::kClosed;
    }
  }
  // The length of the chunk was already sent: unreadable data is sent as zeros, followed by the
  // error.
  if (failure_) std::ranges::fill(piece, std::byte{0});
  if (!data_begun_) append_data_header(channel_->replies(), request_, structured);
  data_begun_ = true;
  Bytes after;
  if (structured && piece.size() == left_) {
    if (failure_) {
      append_failure(after, request_.cookie, *failure_, structured);
    } else {
      append_data_end(after, request_.cookie);
    }
  }
  const std::size_t sent = channel_->send(piece, after);
  left_ -= static_cast<std::uint32_t>(sent);
  send_size_ = std::min(sent == piece.size() ? 2 * send_size_ : std::max(sent, kLeastSend),
                        shared_.piece.size());
  if (channel_->ended()) return Next::kClosed;
  if (left_ > 0) return sent == piece.size() ? Next::kAgain : Next::kOutput;
  return finished();
}

Next Transmission::block_status() {
  const std::size_t most = request_.has(kFlagReqOne) ? 1 : kMostExtents;
  const auto found = shared_.target.allocation(request_.range(), most);
  if (!found) return fail(failure_of(found.error(), request_));
  append_block_status(channel_->replies(), request_, *found);
  return finished();
}

// Answers with a failure, now or after the payload has been read.
Next Transmission::fail(Failure failure) {
  failure_ = std::move(failure);
  if (!request_.has_payload() || left_ == 0) return answer();
  phase_ = Phase::kPayload;
  return Next::kAgain;
}

Next Transmission::answer() {
  if (failure_) {
    append_failure(channel_->replies(), request_.cookie, *failure_,
                   rules_.agreed.structured_replies);
  } else {
    append_done(channel_->replies(), request_.cookie);
  }
  return finished();
}

Next Transmission::finished() {
  phase_ = Phase::kIdle;
  if (failure_) {
    log::debug("nbd: connection {}: {} of {} bytes at {}: {}", number_, name_of(request_.command),
               request_.length, request_.offset, failure_->text);
  }
  if (shared_.served) {
    shared_.served({number_, name_of(request_.command), request_.flags, request_.range(),
                    failure_ ? name_of(failure_->number) : std::string_view()});
  }
  return Next::kAgain;
}

}  // namespace shunt::nbd
