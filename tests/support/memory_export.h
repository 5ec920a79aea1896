// An NBD export in an array. Checks what the server promises: ranges lie within it and are not
// empty, pieces are not too large.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "shunt/nbd/server.h"

namespace shunt::test {

class MemoryExport : public nbd::Export {
 public:
  explicit MemoryExport(std::size_t size) : bytes(size) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes.size(); }
  [[nodiscard]] nbd::Features features() const override { return offered; }
  [[nodiscard]] bool ready() const override { return is_ready; }

  [[nodiscard]] Result<void> may_write(ByteRange range) override {
    check(range);
    return verdict(range);
  }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
    check(ByteRange::of(offset, data.size()));
    if (data.size() > nbd::kPieceSize || !is_ready) std::abort();
    const std::lock_guard lock(mutex_);
    ++writes;
    std::ranges::copy(data, at(offset));
    return verdict(ByteRange::of(offset, data.size()));
  }
  Result<void> zero(ByteRange range, nbd::Zeroing zeroing) override {
    check(range);
    if (!is_ready) std::abort();
    const std::lock_guard lock(mutex_);
    last_zeroing_ = zeroing;
    SHUNT_TRY(verdict(range));
    std::fill_n(at(range.begin), range.size(), std::byte{0});
    return {};
  }
  Result<void> trim(ByteRange range) override {
    check(range);
    if (!is_ready) std::abort();
    const std::lock_guard lock(mutex_);
    ++trims;
    SHUNT_TRY(verdict(range));
    std::fill_n(at(range.begin), range.size(), std::byte{0});
    return {};
  }
  [[nodiscard]] Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override {
    check(ByteRange::of(offset, into.size()));
    ++reads;
    if (into.size() > nbd::kPieceSize) std::abort();
    if (unreadable_from && offset + into.size() > *unreadable_from) {
      return system_error(EIO, "", "read");
    }
    if (offset + into.size() > has_come) return false;
    const std::lock_guard lock(mutex_);
    std::copy_n(at(offset), into.size(), into.begin());
    return true;
  }
  Result<void> start_flush() override {
    ++flushes;
    return {};
  }
  [[nodiscard]] Result<bool> flushed() override { return is_flushed.load(); }
  [[nodiscard]] Result<std::vector<nbd::Allocation>> allocation(ByteRange range,
                                                                std::size_t most) override {
    check(range);
    const std::lock_guard lock(mutex_);
    std::vector<nbd::Allocation> extents;
    for (std::uint64_t i = range.begin; i < range.end && extents.size() < most;) {
      const bool zero = bytes[i] == std::byte{0};
      std::uint64_t end = i + 1;
      while (end < range.end && (bytes[end] == std::byte{0}) == zero) ++end;
      extents.push_back({end - i, zero, zero});
      i = end;
    }
    return extents;
  }

  // Returns the current content, also while a server is running.
  [[nodiscard]] std::vector<std::byte> content(std::size_t offset, std::size_t size) const {
    const std::lock_guard lock(mutex_);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
  }
  [[nodiscard]] std::optional<nbd::Zeroing> last_zeroing() const {
    const std::lock_guard lock(mutex_);
    return last_zeroing_;
  }

  std::vector<std::byte> bytes;  // for use before and after the server runs
  nbd::Features offered;
  std::atomic<bool> is_ready{true};
  std::atomic<bool> is_flushed{true};
  std::atomic<int> flushes{0};
  std::atomic<std::uint64_t> has_come{UINT64_MAX};  // bytes from here on have not arrived yet
  std::atomic<int> reads{0};
  std::atomic<int> writes{0};
  std::atomic<int> trims{0};
  // The answer to a request that changes something; empty: success.
  std::function<Result<void>(ByteRange)> verdict_on;
  std::optional<std::uint64_t> unreadable_from;

 private:
  void check(ByteRange range) const {
    if (range.begin >= range.end || range.end > bytes.size()) std::abort();
  }
  [[nodiscard]] Result<void> verdict(ByteRange range) const {
    return verdict_on ? verdict_on(range) : Result<void>();
  }

  // A client's answer orders what the server did before it, but a sanitizer cannot see that.
  mutable std::mutex mutex_;
  std::optional<nbd::Zeroing> last_zeroing_;

  std::vector<std::byte>::iterator at(std::uint64_t offset) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  }
};

}  // namespace shunt::test
