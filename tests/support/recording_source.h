// A Source in memory that notes which of its bytes were read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/io/source.h"

namespace shunt::test {

// For one thread.
class RecordingSource final : public io::Source {
 public:
  explicit RecordingSource(std::vector<std::byte> bytes)
      : read_(bytes.size(), false), bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] std::string name() const override { return "recorded"; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override {
    ++reads;
    if (before_read) before_read();
    auto got = bytes_.read_at(offset, into, caching);
    if (got) {
      for (std::size_t i = 0; i < *got; ++i) read_[static_cast<std::size_t>(offset) + i] = true;
    }
    return got;
  }

  // How many bytes of `range` were read, each counted once.
  [[nodiscard]] std::uint64_t read_of(ByteRange range) const {
    std::uint64_t count = 0;
    for (std::uint64_t at = range.begin; at < range.end; ++at) {
      if (read_.at(static_cast<std::size_t>(at))) ++count;
    }
    return count;
  }
  [[nodiscard]] bool all_read(ByteRange range) const { return read_of(range) == range.size(); }
  [[nodiscard]] std::uint64_t total() const { return read_of({0, size()}); }

  mutable int reads = 0;
  std::function<void()> before_read;

 private:
  mutable std::vector<bool> read_;
  io::MemorySource bytes_;
};

}  // namespace shunt::test
