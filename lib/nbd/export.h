// The disk that an NBD server serves.
//
// Names and meanings are those of the NBD protocol ("doc/proto.md" of the NetworkBlockDevice
// project). The server calls from one thread. An Error becomes the errno of the reply, by `code`
// and `system_errno`; its description becomes the text of a structured reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/result.h"

namespace shunt::nbd {

// The features of an export, which clients see as transmission flags. The server refuses commands
// that are not among them.
struct Features {
  bool read_only = false;   // NBD_FLAG_READ_ONLY: changes are refused with EPERM
  bool flush = true;        // NBD_FLAG_SEND_FLUSH
  bool fua = true;          // NBD_FLAG_SEND_FUA
  bool trim = true;         // NBD_FLAG_SEND_TRIM
  bool zeroes = true;       // NBD_FLAG_SEND_WRITE_ZEROES
  bool multi_conn = false;  // NBD_FLAG_CAN_MULTI_CONN: a flush covers all connections
  bool fast_zero = false;   // NBD_FLAG_SEND_FAST_ZERO: every zero request is fast
};

// One extent of the answer to BLOCK_STATUS in "base:allocation".
struct Allocation {
  std::uint64_t size = 0;  // bytes
  bool hole = false;       // NBD_STATE_HOLE
  bool zeros = false;      // NBD_STATE_ZERO
};

// What WRITE_ZEROES may do with storage.
enum class Zeroing {
  kMayTrim,  // may deallocate
  kNoHole,   // NBD_CMD_FLAG_NO_HOLE
};

class Export {
 public:
  virtual ~Export() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual Features features() const = 0;

  // Returns true if a request that changes something can be served now without blocking. While it
  // is false the server reads no more such requests; Server::wake() makes it ask again.
  [[nodiscard]] virtual bool ready() const = 0;

  // Ranges lie within size() and are not empty. A payload comes in pieces, in order; may_write is
  // called before the first piece, so that a refusal comes before any change.
  [[nodiscard]] virtual Result<void> may_write(ByteRange range) = 0;
  virtual Result<void> write(std::uint64_t offset, std::span<const std::byte> data) = 0;
  virtual Result<void> zero(ByteRange range, Zeroing zeroing) = 0;
  virtual Result<void> trim(ByteRange range) = 0;
  // Fills `into` and returns true. Returns false if the bytes are not there yet: the server goes on
  // with other connections and asks again after Server::wake(). Does not block.
  [[nodiscard]] virtual Result<bool> read(std::uint64_t offset, std::span<std::byte> into) = 0;
  // NBD_CMD_FLUSH, or the end of a request with NBD_CMD_FLAG_FUA. Does not block; flushed() says
  // when it is done.
  virtual Result<void> start_flush() = 0;
  // Returns true if the flush of start_flush() is done, and an Error if it has failed.
  [[nodiscard]] virtual Result<bool> flushed() = 0;
  // Returns adjoining extents from the begin of `range`, at least one and at most `most`. They need
  // not reach the end of `range`, and the last one may be cut there.
  [[nodiscard]] virtual Result<std::vector<Allocation>> allocation(ByteRange range,
                                                                   std::size_t most) = 0;
};

}  // namespace shunt::nbd
