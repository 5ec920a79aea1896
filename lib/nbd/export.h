// What an NBD server serves: one disk, seen by its requests.
//
// The names and meanings are those of the NBD protocol ("doc/proto.md" of the NetworkBlockDevice
// project). The server calls from one thread. An Error becomes the errno of the reply, by `code`
// and `system_errno`, and its description the text of a structured reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"

namespace shunt::nbd {

// What an export has, as clients are told by its transmission flags. A command that it does not
// have is refused before it gets there.
struct Features {
  bool read_only = false;   // NBD_FLAG_READ_ONLY: what would change something is refused, EPERM
  bool flush = true;        // NBD_FLAG_SEND_FLUSH
  bool fua = true;          // NBD_FLAG_SEND_FUA
  bool trim = true;         // NBD_FLAG_SEND_TRIM
  bool zeroes = true;       // NBD_FLAG_SEND_WRITE_ZEROES
  bool multi_conn = false;  // NBD_FLAG_CAN_MULTI_CONN: a flush on one connection is for all
  bool fast_zero = false;   // NBD_FLAG_SEND_FAST_ZERO: every zero request is quick
};

// One extent of the answer to BLOCK_STATUS in "base:allocation".
struct Allocation {
  std::uint64_t size = 0;
  bool hole = false;   // NBD_STATE_HOLE
  bool zeros = false;  // NBD_STATE_ZERO
};

// How a range becomes zeros.
enum class Zeroing {
  kMayTrim,  // storage may be given back
  kNoHole,   // NBD_CMD_FLAG_NO_HOLE
};

class Export {
 public:
  virtual ~Export() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual Features features() const = 0;

  // Whether a request that changes something may be handed in now without waiting. While it is
  // false the server reads no further requests that do; Server::wake() makes it ask again.
  [[nodiscard]] virtual bool ready() const = 0;

  // Ranges lie within size() and are not empty. A payload comes in pieces, in order; may_write is
  // asked before the first, so that a refusal comes before any byte has changed.
  [[nodiscard]] virtual Result<void> may_write(ByteRange range) = 0;
  virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> data) = 0;
  virtual Result<void> zero(ByteRange range, Zeroing zeroing) = 0;
  virtual Result<void> trim(ByteRange range) = 0;
  // Fills `into` and returns true. Returns false when the bytes have to come from elsewhere first:
  // the server goes on with other connections and asks again, after Server::wake(). Does not wait.
  [[nodiscard]] virtual Result<bool> read(std::uint64_t offset, std::span<std::byte> into) = 0;
  // NBD_CMD_FLUSH, and the end of a request with NBD_CMD_FLAG_FUA. Does not wait: what cannot be
  // done yet is asked for again through flushed().
  virtual Result<void> start_flush() = 0;
  // Whether all that was there at start_flush() is done; an Error once it cannot be any more.
  [[nodiscard]] virtual Result<bool> flushed() = 0;
  // Adjoining extents from the beginning of `range`, at least one and at most `most`; the last one
  // may be cut off at the end of `range`, and need not reach it.
  [[nodiscard]] virtual Result<std::vector<Allocation>> allocation(ByteRange range,
                                                                   std::size_t most) = 0;
};

}  // namespace shunt::nbd
