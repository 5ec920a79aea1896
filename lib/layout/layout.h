// Layout: an ordered list of extents that together are a Source.
//
// An extent is a range of another Source, bytes in memory, or zeros. A range seen through a
// transformation is a range of a Source that transforms as it reads (mp4::MappedTable). A Layout
// stays small however many bytes it stands for: 40 bytes an extent, and the bytes in memory.
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
  io::SourcePtr source;     // of kSource
  std::uint64_t begin = 0;  // within the source, or within the Layout's memory
  std::uint64_t at = 0;     // within the Layout
  std::uint64_t size = 0;   // never 0
};

// Built by one thread, then immutable; shares ownership of its Sources. The size of a Layout must
// stay below 2^63, which the sizes of files see to.
class Layout final : public io::Source {
 public:
  explicit Layout(std::string name = "(layout)") : name_(std::move(name)) {}

  // `range` lies within `source`. A range that goes on where the last extent ended joins it.
  void append(io::SourcePtr source, ByteRange range);
  void append_bytes(std::span<const std::byte> bytes);
  void append_zeros(std::uint64_t size);
  // All extents of `other`, sharing its Sources.
  void append_layout(const Layout& other);

  [[nodiscard]] const std::vector<Extent>& extents() const { return extents_; }
  // The bytes of a kMemory extent; valid until the Layout grows.
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
