// The one disk that the plugin serves: where it leaves to, and the Sink in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_range.h"
#include "base/cancel.h"
#include "base/result.h"
#include "settings.h"
#include "sink/destination.h"
#include "sink/sink.h"

namespace shunt::nbdkit {

// nbdkit serialises all calls, so that no two come at once; a call that has to wait keeps the
// others waiting, as it would have to anyway.
class Disk {
 public:
  // Opens the output; waits for the reader of a FIFO. No threads yet: they would be lost when
  // nbdkit forks.
  static Result<std::unique_ptr<Disk>> open(const Settings& settings);
  Result<void> start();

  [[nodiscard]] bool multi_conn() const { return at_end(); }
  [[nodiscard]] bool fast_zero() const { return at_end(); }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  Result<void> trim(ByteRange range) { return sink_->trim(range); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) {
    return sink_->read(offset, into);
  }
  // Waits until the consumer has what may leave now.
  Result<void> flush() { return sink_->wait_until_sent(sink_->released()); }
  [[nodiscard]] std::vector<sink::Sink::Extent> extents(ByteRange range, std::size_t most) {
    return sink_->extents(range, most);
  }

  // Sends the rest, waits until the consumer has it, and writes the digest.
  Result<void> finish();

 private:
  explicit Disk(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] bool at_end() const { return settings_.disk.policy == sink::CommitPolicy::kAtEnd; }
  Result<void> write_digest() const;

  const Settings settings_;
  const CancelToken never_;
  std::unique_ptr<sink::Destination> out_;
  std::unique_ptr<sink::Sink> sink_;  // after start(); uses all of the above
};

}  // namespace shunt::nbdkit
