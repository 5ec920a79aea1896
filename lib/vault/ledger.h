// The byte count that the processes of a vault share: bytes allocated to its items, and bytes
// admitted but perhaps not yet written.
//
// The file has 32 bytes, in native byte order (it never leaves the machine):
//   0  "SHUNTUSE"
//   8  version, 4 bytes: 1
//   12 zeros, 4 bytes
//   16 the count, 8 bytes
//   24 XXH3-64 of the 24 bytes before
// Any other content means that the count is unknown; the next scan rewrites it. It is never synced.
// After a power failure it may be outdated, so that the vault seems full too early or too late; the
// scan that follows "full" corrects it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shunt/vault/locked_file.h"

namespace shunt::vault {

enum class Admission {
  kGranted,      // and counted
  kFull,         // or the count is unknown: a scan has to find out
  kBusy,         // others held the lock for long; the caller may ask again
  kUnavailable,  // the count cannot be read or written
};

// Thread-safe.
class Ledger {
 public:
  explicit Ledger(std::string path, const CancelToken* cancel = nullptr)
      : file_(std::move(path), cancel) {}

  // Adds `bytes` if the count stays within `limit`. One lock, one pread, one pwrite.
  [[nodiscard]] Admission add(std::uint64_t bytes, std::uint64_t limit);
  // Returns the count if it is known.
  [[nodiscard]] std::optional<std::uint64_t> count();
  // After a scan that began when the count was `before`: sets the count to `counted` plus what
  // others have added in the meantime. Returns false if it cannot be written.
  bool settle(std::optional<std::uint64_t> before, std::uint64_t counted);

 private:
  LockedFile file_;
};

}  // namespace shunt::vault
