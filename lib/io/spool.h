// Bytes that arrive in order and are read at random later: a few in memory, more in an unnamed file
// (io/temporary.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::io {

// One thread at a time.
class Spool {
 public:
  // Keeps at most `memory_limit` bytes in memory.
  explicit Spool(std::size_t memory_limit = std::size_t{1} << 20) : memory_limit_(memory_limit) {}

  Result<void> append(std::span<const std::byte> data);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Returns everything appended; the Spool is empty afterwards. `name` is for messages.
  [[nodiscard]] Result<SourcePtr> finish(const std::string& name);

 private:
  Result<void> spill();

  std::size_t memory_limit_;
  std::vector<std::byte> memory_;
  File file_;  // open once the bytes have been moved to it
  std::uint64_t size_ = 0;
};

}  // namespace shunt::io
