// Requests of the transmission phase: parsing, and checks against the rules of the connection
// (doc/proto.md, "Request message", "Request types", "Error values").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shunt/base/byte_range.h"
#include "shunt/base/error.h"
#include "shunt/nbd/export.h"
#include "shunt/nbd/negotiation.h"
#include "shunt/nbd/protocol.h"

namespace shunt::nbd {

struct Request {
  std::uint16_t flags = 0;
  Command command{};  // may be unknown
  std::uint64_t cookie = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;

  [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  // True if `length` bytes of payload follow.
  [[nodiscard]] bool has_payload() const { return command == Command::kWrite; }
  // True if it changes the export.
  [[nodiscard]] bool changes() const;
  // For unchecked requests too: the end is cut at 2^64 - 1.
  [[nodiscard]] ByteRange range() const;
};

// Why a request fails.
struct Failure {
  Errno number = Errno::kIo;
  std::string text;  // for people
};

// What requests of a connection are checked against. Sizes in bytes.
struct Rules {
  std::uint64_t size = 0;  // of the export
  std::uint32_t read_bytes = kLargestWrite;
  Features features;
  Agreed agreed;
};

// Returns nullopt if this is not a request; the connection is then out of sync.
[[nodiscard]] std::optional<Request> decode_request(std::span<const std::byte, kRequestSize> bytes);

// Returns why a request (not DISC) is refused; nullopt if it may be served.
[[nodiscard]] std::optional<Failure> check_request(const Request& request, const Rules& rules);

// Returns the reply to an Error of the export.
[[nodiscard]] Failure failure_of(const Error& error, const Request& request);

// Returns "read", "write", "zero", "trim", "flush", "block_status" or "unknown".
[[nodiscard]] std::string_view name_of(Command command);
// Returns a name such as "EPERM".
[[nodiscard]] std::string_view name_of(Errno number);

}  // namespace shunt::nbd
