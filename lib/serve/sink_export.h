// The Sink as an export of the NBD server.
#pragma once

#include <cstdint>

#include "shunt/nbd/export.h"
#include "shunt/sink/sink.h"

namespace shunt::serve {

// Used by the thread of the server.
class SinkExport final : public nbd::Export {
 public:
  explicit SinkExport(sink::Sink& sink) : sink_(sink) {}  // not owned, outlives it

  [[nodiscard]] std::uint64_t size() const override { return sink_.size(); }
  // Withholds features that would end the stream early: with several connections clients write in
  // parallel, and with fast zeroes they zero the whole disk first. Neither matters if nothing
  // leaves before the end anyway. If the image's end is looked for, zeroing the whole disk would
  // hide zeros at the end of the image.
  [[nodiscard]] nbd::Features features() const override;
  [[nodiscard]] bool ready() const override { return sink_.ready(); }

  Result<void> may_write(ByteRange range) override { return sink_.may_write(range); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> data) override {
    return sink_.write(offset, data);
  }
  // Zeros take no space, whatever `zeroing` says.
  Result<void> zero(ByteRange range, nbd::Zeroing /*zeroing*/) override {
    return sink_.zero(range);
  }
  Result<void> trim(ByteRange range) override { return sink_.trim(range); }
  [[nodiscard]] Result<bool> read(std::uint64_t offset, std::span<std::byte> into) override {
    SHUNT_TRY(sink_.read(offset, into));
    return true;
  }
  // A flush is done when the consumer has taken everything released before it; a stream cannot
  // promise more.
  Result<void> start_flush() override;
  [[nodiscard]] Result<bool> flushed() override { return sink_.is_sent(flush_to_); }
  [[nodiscard]] Result<std::vector<nbd::Allocation>> allocation(ByteRange range,
                                                                std::size_t most) override;

 private:
  sink::Sink& sink_;
  std::uint64_t flush_to_ = 0;
};

}  // namespace shunt::serve
