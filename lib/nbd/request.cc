#include "shunt/nbd/request.h"

#include <fmt/format.h>

#include <cerrno>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"

namespace shunt::nbd {

namespace {

// Returns the flags allowed for a command; FUA, if offered, is allowed for all. nullopt: unknown
// command.
std::optional<unsigned> flags_of(Command command, const Rules& rules) {
  const unsigned fua = rules.features.fua ? kFlagFua : 0U;
  switch (command) {
    case Command::kRead:
      return rules.agreed.structured_replies ? fua | kFlagDf : fua;
    case Command::kWriteZeroes:
      return rules.features.fast_zero ? fua | kFlagNoHole | kFlagFastZero : fua | kFlagNoHole;
    case Command::kBlockStatus:
      return fua | kFlagReqOne;
    case Command::kWrite:
    case Command::kDisconnect:
    case Command::kFlush:
    case Command::kTrim:
      return fua;
  }
  return std::nullopt;
}

// Returns true unless the command is optional and the export lacks it.
bool has(const Features& features, Command command) {
  switch (command) {
    case Command::kFlush:
      return features.flush;
    case Command::kTrim:
      return features.trim;
    case Command::kWriteZeroes:
      return features.zeroes;
    default:
      return true;
  }
}

Failure invalid(std::string_view text) {
  return {Errno::kInvalid, std::string(text)};
}

Errno number_of(int system_errno) {
  switch (system_errno) {
    case EPERM:
    case EACCES:
    case EROFS:
      return Errno::kPermission;
    case ENOMEM:
      return Errno::kNoMemory;
    case EINVAL:
      return Errno::kInvalid;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Errno::kNoSpace;
    case EOVERFLOW:
      return Errno::kOverflow;
    case EOPNOTSUPP:
      return Errno::kNotSupported;
    case ESHUTDOWN:
      return Errno::kShutdown;
    default:
      return Errno::kIo;
  }
}

}  // namespace

bool Request::changes() const {
  return command == Command::kWrite || command == Command::kTrim ||
         command == Command::kWriteZeroes;
}

ByteRange Request::range() const {
  return {offset, checked_add<std::uint64_t>(offset, length).value_or(UINT64_MAX)};
}

std::optional<Request> decode_request(std::span<const std::byte, kRequestSize> bytes) {
  const std::byte* const at = bytes.data();
  if (load_be<std::uint32_t>(at) != kRequestMagic) return std::nullopt;
  Request request;
  request.flags = load_be<std::uint16_t>(at + 4);
  request.command = Command{load_be<std::uint16_t>(at + 6)};
  request.cookie = load_be<std::uint64_t>(at + 8);
  request.offset = load_be<std::uint64_t>(at + 16);
  request.length = load_be<std::uint32_t>(at + 24);
  return request;
}

std::optional<Failure> check_request(const Request& request, const Rules& rules) {
  const auto flags = flags_of(request.command, rules);
  if (!flags) return invalid("an unknown command");
  if (rules.features.read_only && request.changes()) {
    return Failure{Errno::kPermission, "the disk is read-only"};
  }
  if (!has(rules.features, request.command))
    return invalid("a command that the disk does not support");
  if ((request.flags & ~*flags) != 0) return invalid("a flag that the command does not support");
  if (request.command == Command::kFlush) {
    if (request.offset == 0 && request.length == 0) return std::nullopt;
    return invalid("a flush has no range");
  }
  if (request.command == Command::kBlockStatus && !rules.agreed.allocation) {
    return invalid("no metadata context was selected");
  }
  if (request.length == 0) return invalid("an empty range");
  if (const auto end = checked_add<std::uint64_t>(request.offset, request.length);
      !end || *end > rules.size) {
    const bool writes =
        request.command == Command::kWrite || request.command == Command::kWriteZeroes;
    return Failure{writes ? Errno::kNoSpace : Errno::kInvalid,
                   fmt::format("{} bytes at {} reach beyond the end, which is at {}",
                               request.length, request.offset, rules.size)};
  }
  if (request.command == Command::kRead && request.length > rules.read_bytes) {
    return Failure{Errno::kOverflow, fmt::format("a read has {} bytes at most", rules.read_bytes)};
  }
  if (request.command == Command::kWrite && request.length > kLargestWrite) {
    return invalid(fmt::format("a write has {} bytes at most", kLargestWrite));
  }
  return std::nullopt;
}

Failure failure_of(const Error& error, const Request& request) {
  Errno number = number_of(error.system_errno);
  if (error.system_errno == 0) {
    if (error.code == ErrorCode::kUsage || error.code == ErrorCode::kUnsuitable) {
      number = Errno::kInvalid;
    } else if (error.code == ErrorCode::kInterrupted) {
      number = Errno::kShutdown;
    }
  }
  // For a client, these two mean more than a failure.
  const bool fast_zero = request.command == Command::kWriteZeroes && request.has(kFlagFastZero);
  if (number == Errno::kNotSupported && !fast_zero) number = Errno::kIo;
  if (number == Errno::kOverflow && request.command != Command::kRead) number = Errno::kInvalid;
  return {number, error.describe()};
}

std::string_view name_of(Command command) {
  switch (command) {
    case Command::kRead:
      return "read";
    case Command::kWrite:
      return "write";
    case Command::kDisconnect:
      return "disconnect";
    case Command::kFlush:
      return "flush";
    case Command::kTrim:
      return "trim";
    case Command::kWriteZeroes:
      return "zero";
    case Command::kBlockStatus:
      return "block_status";
  }
  return "unknown";
}

std::string_view name_of(Errno number) {
  switch (number) {
    case Errno::kPermission:
      return "EPERM";
    case Errno::kIo:
      return "EIO";
    case Errno::kNoMemory:
      return "ENOMEM";
    case Errno::kInvalid:
      return "EINVAL";
    case Errno::kNoSpace:
      return "ENOSPC";
    case Errno::kOverflow:
      return "EOVERFLOW";
    case Errno::kNotSupported:
      return "ENOTSUP";
    case Errno::kShutdown:
      return "ESHUTDOWN";
  }
  return "EIO";
}

}  // namespace shunt::nbd
