// Locks between processes.
#pragma once

#include <chrono>
#include <string>

#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::files {

// Takes the advisory lock of `file` until its descriptor is closed (flock, exclusive). Waits up to
// 100 ms; returns kBusy if another process still holds it.
Result<void> lock_exclusive(const io::File& file);

// Same, shared with other readers.
Result<void> lock_shared(const io::File& file);

enum class LockKind { kShared, kExclusive };
enum class LockOutcome {
  kTaken,
  kHeldElsewhere,
  kUnsupported,  // the file system has no locks
};

// Tries once to take the lock, which is held until the descriptor is closed or unlock(). For
// callers that must know whether they have it.
[[nodiscard]] LockOutcome try_lock(const io::File& file, LockKind kind);
void unlock(const io::File& file);

// Exclusive open-file-description locks on byte ranges (fcntl(2), F_OFD_SETLK). They belong to the
// descriptor and end with it or with the process. Independent of the locks above.
//
// Tries to lock `range` without waiting. Returns an empty range if it is locked now, otherwise the
// first part of `range` that somebody else has locked.
[[nodiscard]] Result<ByteRange> try_lock_range(const io::File& file, ByteRange range);
// Waits for the lock on `range`, at most `limit`. Returns kBusy at the limit, and kInterrupted once
// `cancel` (may be null) is requested.
Result<void> lock_range(const io::File& file, ByteRange range, std::chrono::milliseconds limit,
                        const CancelToken* cancel);
void unlock_range(const io::File& file, ByteRange range);

}  // namespace shunt::files
