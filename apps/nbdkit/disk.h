// The disk that the plugin serves: the output, and the Sink in front of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "settings.h"
#include "shunt/base/byte_range.h"
#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/files/destination.h"
#include "shunt/sink/sink.h"

namespace shunt::nbdkit {

// nbdkit serialises all calls. A call that has to wait keeps the others waiting, as it must.
class Disk {
 public:
  // Opens the output; waits for the reader of a FIFO. Starts no threads, which would be lost when
  // nbdkit forks. `is_to_end` is called by calls that wait for the reader; when it returns true
  // they fail with ESHUTDOWN.
  static Result<std::unique_ptr<Disk>> open(const Settings& settings,
                                            std::function<bool()> is_to_end);
  Result<void> start();

  [[nodiscard]] bool multi_conn() const { return at_end(); }
  [[nodiscard]] bool fast_zero() const { return at_end() && !settings_.disk.truncate; }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> data);
  Result<void> zero(ByteRange range);
  Result<void> trim(ByteRange range);
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) {
    return sink_->read(offset, into);
  }
  // Waits until the consumer has taken what may leave now.
  Result<void> flush();
  [[nodiscard]] std::vector<sink::Sink::Extent> extents(ByteRange range, std::size_t most) {
    return sink_->extents(range, most);
  }

  // Sends the rest, waits until the consumer has taken it or `give_up` is requested, and writes the
  // digest. Fails without sending if nobody wrote, if a change could not be made because nbdkit was
  // ending, or if a required flush is missing.
  Result<void> finish(const CancelToken& give_up);

 private:
  Disk(Settings settings, std::function<bool()> is_to_end)
      : settings_(std::move(settings)), is_to_end_(std::move(is_to_end)) {}

  [[nodiscard]] bool at_end() const { return settings_.disk.policy == sink::CommitPolicy::kAtEnd; }
  Result<void> write_digest(const CancelToken& give_up) const;
  void note_change(std::uint64_t bytes);
  Result<void> wait_until_ready();
  [[nodiscard]] Result<void> judge() const;

  const Settings settings_;
  const std::function<bool()> is_to_end_;
  const CancelToken never_;
  bool changed_ = false;
  std::optional<Error> cut_off_;  // a change that was not made
  std::uint64_t unflushed_ = 0;   // bytes changed since the last flush
  std::unique_ptr<files::Destination> out_;
  std::unique_ptr<sink::Sink> sink_;  // set by start(); uses all of the above
};

}  // namespace shunt::nbdkit
