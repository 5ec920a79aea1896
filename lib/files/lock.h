// One process at a time.
#pragma once

#include <chrono>
#include <string>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Takes the advisory lock of `file` for as long as its descriptor is open (flock, exclusive). kBusy
// when another process has it, and not just for a moment: that is waited for, up to 100 ms.
Result<void> lock_exclusive(const io::File& file);

// The same shared with other readers, for as long as the descriptor is open.
Result<void> lock_shared(const io::File& file);

enum class LockKind { kShared, kExclusive };
enum class LockOutcome {
  kTaken,
  kHeldElsewhere,
  kUnsupported,  // this file system has no locks
};

// One try to take the lock, which then lasts as long as the descriptor is open or until unlock().
// For those that have to know whether they are protected.
[[nodiscard]] LockOutcome try_lock(const io::File& file, LockKind kind);
void unlock(const io::File& file);

// Open-file-description locks on bytes of a file (fcntl(2), F_OFD_SETLK), exclusive: they belong to
// the descriptor, and end with it or with the process. Apart from the locks above.
//
// Tries to lock `range`, without waiting. Returns what is in the way: an empty range when it is
// locked now, otherwise the first bytes of `range` that somebody else has.
[[nodiscard]] Result<ByteRange> try_lock_range(const io::File& file, ByteRange range);
// Waits until `range` is locked, for at most `limit`: kBusy then, and kInterrupted once `cancel`,
// which may be null, has been asked to stop.
Result<void> lock_range(const io::File& file, ByteRange range, std::chrono::milliseconds limit,
                        const CancelToken* cancel);
void unlock_range(const io::File& file, ByteRange range);

}  // namespace shunt::files
