// Layout: an ordered list of extents that together form a Source.
//
// An extent is a range of another Source, bytes in memory, or zeros. A range with a transformation
// is a range of a Source that transforms as it reads (boxes::MappedTable). A Layout takes 40 bytes
// per extent plus its bytes in memory, however many bytes it stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/io/source.h"

namespace shunt::layout {

struct Extent {
  enum class Kind { kSource, kMemory, kZeros };

  Kind kind = Kind::kZeros;
  io::SourcePtr source;     // only for kSource
  std::uint64_t begin = 0;  // offset within the source, or within the Layout's memory
  std::uint64_t at = 0;     // offset within the Layout
  std::uint64_t size = 0;   // bytes; never 0
};

// Built by one thread, then immutable and thread-safe. Shares ownership of its Sources. The size of
// a Layout must stay below 2^63, which the limits on file sizes ensure.
class Layout final : public io::Source {
 public:
  explicit Layout(std::string name = "(layout)") : name_(std::move(name)) {}

  // Appends `range` of `source`, which must lie within it. A range that continues the last extent
  // is merged with it.
  void append(io::SourcePtr source, ByteRange range);
  void append_bytes(std::span<const std::byte> bytes);
  void append_zeros(std::uint64_t size);
  // Appends all extents of `other`, sharing its Sources.
  void append_layout(const Layout& other);

  [[nodiscard]] const std::vector<Extent>& extents() const { return extents_; }
  // The bytes of a kMemory extent; the span is valid until the Layout grows.
  [[nodiscard]] std::span<const std::byte> memory(const Extent& extent) const;

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  [[nodiscard]] std::string name() const override { return name_; }
  // Those of its Sources: it changes as any of them does. Empty when none of them can.
  [[nodiscard]] Result<std::string> identity() const override;

 private:
  void push(Extent extent);

  std::string name_;
  std::vector<Extent> extents_;
  std::vector<std::byte> memory_;
  std::uint64_t size_ = 0;
};

}  // namespace shunt::layout
