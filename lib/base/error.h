// The error half of Result<T>: what failed, where, why, and what to do next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shunt {

// Classes of failure, which decide the exit status.
enum class ErrorCode {
  kFailed,       // exit 1: any other failure
  kUsage,        // exit 2: wrong usage
  kUnsuitable,   // exit 7: this way is not possible here; another may be
  kCorrupt,      // exit 4: input corrupt or of an unsupported kind
  kNetwork,      // exit 5
  kIntegrity,    // exit 6: digest, checksum or packet comparison mismatch
  kLocalIo,      // exit 7: no space, permission, read-only
  kBusy,         // exit 8: in use by another process
  kInterrupted,  // exit 128 + signal number: asked to stop
};

// Returns the word for `code` in JSON output, such as "corrupt".
[[nodiscard]] std::string_view to_string(ErrorCode code);

// A value, owned by whoever holds it.
struct Error {
  ErrorCode code = ErrorCode::kFailed;
  std::string path;                     // file or URL; empty: the caller adds it
  std::string operation;                // "open", "parse moov"; may be empty
  std::string reason;                   // for people; no final full stop
  std::string hint;                     // what to do next; may be empty
  std::optional<std::uint64_t> offset;  // offset in the file, in bytes
  int system_errno = 0;                 // errno of a failed system call, otherwise 0

  // Returns "PATH: operation: reason (at byte N)" without empty parts.
  [[nodiscard]] std::string describe() const;

  [[nodiscard]] Error with_path(std::string_view new_path) const;
  [[nodiscard]] Error with_hint(std::string_view new_hint) const;
};

// Returns the error for errno `number`, with the code that belongs to it (ENOSPC: kLocalIo,
// EOPNOTSUPP: kUnsuitable, EWOULDBLOCK: kBusy, and so on).
[[nodiscard]] Error system_error(int number, std::string_view path, std::string_view operation);

// Returns a kUsage error.
[[nodiscard]] Error usage(std::string_view reason);

// Returns a kCorrupt error about the input at byte `offset`.
[[nodiscard]] Error corrupt(std::string_view reason, std::optional<std::uint64_t> offset = {});

}  // namespace shunt
