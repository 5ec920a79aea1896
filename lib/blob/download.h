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
  // Called before each receive(), with the same offset and number of bytes. Returns false to pause
  // the download, for any length of time, until Download::resume(); this is then called again.
  [[nodiscard]] virtual bool ready(std::uint64_t /*offset*/, std::size_t /*bytes*/) { return true; }
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
  // Calls ready() of the receiver again, after that has returned false. Thread-safe; does not
  // block.
  virtual void resume() = 0;
};

}  // namespace shunt::blob
