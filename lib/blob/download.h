// The download of a range of a blob, and who takes its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shunt/base/result.h"

namespace shunt::blob {

// Receives the bytes of a download, on the client's thread, one call at a time. All downloads of
// the client wait while a call runs.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // Returns how many bytes, from `offset` on, receive() takes whenever they come, in one call or in
  // several. Called before more than that come. If it returns less than `wanted`, the download may
  // pause, for any length of time, until Download::resume(); this is then called again.
  [[nodiscard]] virtual std::uint64_t room(std::uint64_t /*offset*/, std::uint64_t /*wanted*/) {
    return UINT64_MAX;
  }
  // `bytes` lie at `offset` of the blob. Offsets ascend without gaps from the start of the
  // requested range, or, if the server ignores ranges, from 0 to the end of the blob. A resumed
  // download continues where it was: no byte comes twice. An error ends the download with that
  // error.
  virtual Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // The last call. Success: everything requested has come. The Download may be destroyed in it.
  virtual void finished(Result<void> outcome) = 0;
};

// A download in progress. Destroying it cancels: when the destructor has returned, no call of the
// Receiver is running and none will come.
class Download {
 public:
  virtual ~Download() = default;
  // Calls room() of the receiver again, after that was not enough. Thread-safe; does not
  // block.
  virtual void resume() = 0;
};

}  // namespace shunt::blob
