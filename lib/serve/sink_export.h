// The Sink as the disk of an NBD server.
#pragma once

#include <cstdint>

#include "shunt/nbd/export.h"
#include "shunt/sink/sink.h"

namespace shunt::serve {

// For the thread of the server.
class SinkExport final : public nbd::Export {
 public:
  explicit SinkExport(sink::Sink& sink) : sink_(sink) {}  // not owned

  [[nodiscard]] std::uint64_t size() const override { return sink_.size(); }
  // Clients that may use several connections write in parallel; those that are offered quick zeros
  // zero the whole disk first. Both are the end of a stream, and no harm when nothing leaves before
  // the end. What the zeros at an image's end were is lost in a zeroing of the whole disk, which
  // matters where the image's end is looked for.
  [[nodiscard]] nbd::Features features() const override;
  [[nodiscard]] bool ready() const override { return sink_.ready(); }

  Result<void> may_write(ByteRange range) override { return sink_.may_write(range); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
    return sink_.write(offset, data);
  }
  // Zeros are not stored either way.
  Result<void> zero(ByteRange range, nbd::Zeroing /*zeroing*/) override {
    return sink_.zero(range);
  }
  Result<void> trim(ByteRange range) override { return sink_.trim(range); }
  [[nodiscard]] Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override {
    SHUNT_TRY(sink_.read(offset, into));
    return true;
  }
  // A flush is done when the consumer has what was let go before it: nothing more can be promised
  // of a stream.
  Result<void> start_flush() override;
  [[nodiscard]] Result<bool> flushed() override { return sink_.is_sent(flush_to_); }
  [[nodiscard]] Result<std::vector<nbd::Allocation>> allocation(ByteRange range,
                                                                std::size_t most) override;

 private:
  sink::Sink& sink_;
  std::uint64_t flush_to_ = 0;
};

}  // namespace shunt::serve
