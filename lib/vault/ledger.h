// The byte count that the processes of a vault share: what its items are allocated, and what was
// admitted and may not be written yet.
//
// The file, 32 bytes, in the byte order of the machine (it never leaves it):
//   0  "SHUNTUSE"
//   8  version, 4 bytes: 1
//   12 zeros, 4 bytes
//   16 the count, 8 bytes
//   24 XXH3-64 of the 24 bytes before
// Anything else counts as unknown, and the next scan writes it anew. It is never synced: after a
// power cut it may be old, but then says full too early or too late by what was written since, and
// the scan that "full" brings about sets it right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shunt/vault/locked_file.h"

namespace shunt::vault {

enum class Admission {
  kGranted,      // and counted
  kFull,         // or the count is unknown: a scan has to tell
  kBusy,         // others have held its lock for long; it may be asked again
  kUnavailable,  // the count cannot be read or written
};

// Thread-safe.
class Ledger {
 public:
  explicit Ledger(std::string path, const CancelToken* cancel = nullptr)
      : file_(std::move(path), cancel) {}

  // Adds `bytes` when the count stays within `limit`. One lock, one pread, one pwrite.
  [[nodiscard]] Admission add(std::uint64_t bytes, std::uint64_t limit);
  // The count, where it is known.
  [[nodiscard]] std::optional<std::uint64_t> count();
  // After a scan that began when the count was `before`: sets it to `counted`, plus what others
  // have added meanwhile. Returns false when that cannot be written.
  bool settle(std::optional<std::uint64_t> before, std::uint64_t counted);

 private:
  LockedFile file_;
};

}  // namespace shunt::vault
