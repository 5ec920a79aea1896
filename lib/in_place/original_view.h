// Shows the bytes that a file had before an in-place edit began, wherever they are now.
//
// During an in-place edit the original bytes lie in three places: below the gap, at their old
// place; above it, further on by the gap's size; and, where they were overwritten, in the journal.
// This Source puts them together, so that what was planned from the original can be computed at any
// point of the edit, and again after a crash.
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/in_place/saved_bytes.h"
#include "shunt/io/source.h"

namespace shunt::in_place {

// While set_gap or set_saved is called, no other thread may use it. Otherwise thread-safe as any
// Source.
class OriginalView final : public io::Source {
 public:
  // `file` is not owned and outlives the view; `size` is that of the original, in bytes.
  OriginalView(const io::File& file, std::uint64_t size) : file_(file), size_(size) {}

  // From `cursor` on, bytes lie `gap` further on than in the original. A cursor at the end means
  // that none have moved.
  void set_gap(std::uint64_t cursor, std::uint64_t gap) {
    cursor_ = cursor;
    gap_ = gap;
  }
  // Bytes that are read from `saved` instead of the file.
  void set_saved(SavedBytes saved) { saved_ = std::move(saved); }

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  [[nodiscard]] std::string name() const override { return file_.path(); }
  // Returns the file itself as long as nothing has moved.
  [[nodiscard]] io::FileRange in_file() const override {
    return untouched() ? io::FileRange{&file_, 0} : io::FileRange{};
  }

 private:
  [[nodiscard]] bool untouched() const { return cursor_ == UINT64_MAX && saved_.empty(); }

  const io::File& file_;
  std::uint64_t size_;
  std::uint64_t cursor_ = UINT64_MAX;
  std::uint64_t gap_ = 0;
  SavedBytes saved_;
};

}  // namespace shunt::in_place
