// Requests of the transmission phase: taken apart, and checked against what holds for the
// connection (doc/proto.md, "Request message", "Request types", "Error values").
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
  Command command{};  // perhaps none that is known
  std::uint64_t cookie = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;

  [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  // Whether `length` bytes follow.
  [[nodiscard]] bool has_payload() const { return command == Command::kWrite; }
  // Whether it changes the export.
  [[nodiscard]] bool changes() const;
  // Cut off where the numbers end, for a request that was not checked.
  [[nodiscard]] ByteRange range() const;
};

// Why a request fails.
struct Failure {
  Errno number = Errno::kIo;
  std::string text;  // for people
};

struct Rules {
  std::uint64_t size = 0;  // of the export
  std::uint32_t read_bytes = kLargestWrite;
  Features features;
  Agreed agreed;
};

// nullopt: no request begins here, and nobody knows where the next one does.
[[nodiscard]] std::optional<Request> decode_request(std::span<const std::byte, kRequestSize> bytes);

// What is wrong with a request other than DISC; nullopt: it may be served.
[[nodiscard]] std::optional<Failure> check_request(const Request& request, const Rules& rules);

// The reply to an Error of the export.
[[nodiscard]] Failure failure_of(const Error& error, const Request& request);

// "read", "write", "zero", "trim", "flush", "block_status"; "unknown".
[[nodiscard]] std::string_view name_of(Command command);
// "EPERM"
[[nodiscard]] std::string_view name_of(Errno number);

}  // namespace shunt::nbd
