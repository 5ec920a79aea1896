// What went wrong, where, and what to do next: the error half of Result<T>.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shunt {

// The classes of failure that a caller, and finally the exit status, tells apart.
enum class ErrorCode {
  kFailed,       // exit 1: failed for another reason
  kUsage,        // exit 2: asked for wrongly
  kUnsuitable,   // exit 7: this way of doing it is not possible here; another may be
  kCorrupt,      // exit 4: input corrupt or of an unsupported kind
  kNetwork,      // exit 5
  kIntegrity,    // exit 6: digest, checksum or packet comparison mismatch
  kLocalIo,      // exit 7: no space, permission, read-only
  kBusy,         // exit 8: in use by another process
  kInterrupted,  // exit 128 and the number of the signal: asked to stop
};

// The word that JSON output carries for `code`, as in "corrupt".
[[nodiscard]] std::string_view to_string(ErrorCode code);

// A value: copied and moved freely, owned by whoever holds it.
struct Error {
  ErrorCode code = ErrorCode::kFailed;
  std::string path;                     // the file or URL; empty when the caller knows it better
  std::string operation;                // "open", "parse moov"; may be empty
  std::string reason;                   // for people; no final full stop
  std::string hint;                     // what to do next; may be empty
  std::optional<std::uint64_t> offset;  // the place in the file, in bytes
  int system_errno = 0;                 // errno where a system call failed, otherwise 0

  // "PATH: operation: reason (at byte N)", without the parts that are empty.
  [[nodiscard]] std::string describe() const;

  [[nodiscard]] Error with_path(std::string_view new_path) const;
  [[nodiscard]] Error with_hint(std::string_view new_hint) const;
};

// An error for errno value `number`; the code follows from it (ENOSPC: kLocalIo,
// EOPNOTSUPP: kUnsuitable, EWOULDBLOCK: kBusy, and so on).
[[nodiscard]] Error system_error(int number, std::string_view path, std::string_view operation);

// What was asked for makes no sense (kUsage).
[[nodiscard]] Error usage(std::string_view reason);

// An error about the input itself, at byte `offset` of it.
[[nodiscard]] Error corrupt(std::string_view reason, std::optional<std::uint64_t> offset = {});

}  // namespace shunt
