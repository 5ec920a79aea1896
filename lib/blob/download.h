// The download of a range of a blob, and who takes its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shunt/base/result.h"

namespace shunt::blob {

// Takes the bytes of one download. Called on the client's thread, one call at a time. All downloads
// of the client wait for each call.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // Asked before each receive(), with the same offset and number of bytes. False: not now. The
  // download stands still, however long, until its resume() is called; then it asks again.
  [[nodiscard]] virtual bool ready(std::uint64_t /*offset*/, std::size_t /*bytes*/) { return true; }
  // `bytes` lie at `offset` of the blob. Offsets only go forward, without gaps, from the start of
  // the range that was asked for; or, from a server that ignores ranges, from 0 to the end of the
  // blob. (A resumed download goes on where it was: no byte comes twice.) An error ends the
  // download with that error.
  virtual Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // The last call. Success: all that was asked for has come. The Download may be destroyed in it.
  virtual void finished(Result<void> outcome) = 0;
};

// A download under way. Destroying it cancels: no call of the Receiver runs or comes any more once
// the destructor has returned.
class Download {
 public:
  virtual ~Download() = default;
  // Asks the receiver again, after its ready() was false. From any thread; does not block.
  virtual void resume() = 0;
};

}  // namespace shunt::blob
