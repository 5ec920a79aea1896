// Pages of a disk in an unnamed file that is only as long as its content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/sink/spill_index.h"
#include "shunt/sink/spill_space.h"

namespace shunt::sink {

// One thread at a time, but other threads may read found pages from file() until they are erased.
// After an Error the index is undefined.
class SpillFile {
 public:
  static constexpr std::size_t kPage = SpillIndex::kPage;  // bytes; one slot

  // Checks that such a file can be created in `folder`, before there is any work.
  [[nodiscard]] static Result<void> try_folder(const std::string& folder);

  // The file is created in `folder` with the first page. Empty: no file is wanted.
  explicit SpillFile(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] bool wanted() const { return !folder_.empty(); }
  [[nodiscard]] const io::File& file() const { return file_; }
  [[nodiscard]] bool empty() const { return pages_ == 0; }
  [[nodiscard]] std::uint64_t pages() const { return pages_; }
  // The length of the file in pages, including the index.
  [[nodiscard]] std::uint64_t slots() const { return space_.end(); }

  // Pages from `first` to `last`, adjoining on the disk and in the file; the first one is at slot
  // `slot`.
  struct Stretch {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t slot = 0;

    // Offset in the file, in bytes, of one of these pages.
    [[nodiscard]] std::uint64_t place_of(std::uint64_t page) const {
      return (slot + page - first) * kPage;
    }
  };
  // Returns the stretch with this page, or else the next one after it, or nullopt.
  [[nodiscard]] Result<std::optional<Stretch>> at_or_after(std::uint64_t page) const;
  // Returns the stretch with this page, which must be there.
  [[nodiscard]] Result<std::optional<Stretch>> holding(std::uint64_t page) const;

  // Stores adjoining pages from `first` on, none of which are stored yet.
  Result<void> put(std::uint64_t first, std::span<std::byte* const> pages);
  // Overwrites part of a stored page, from byte `at` of it.
  Result<void> overwrite(const Stretch& stretch, std::uint64_t page, std::size_t at,
                         std::span<const std::byte> data);
  // Removes the pages from `first` up to but not including `end`. Frees disk space if the file
  // system can.
  Result<void> erase(std::uint64_t first, std::uint64_t end);

 private:
  Result<void> add(const Stretch& stretch);
  void free_slots(Slots slots);

  const std::string folder_;
  io::File file_;
  SpillSpace space_;
  mutable SpillIndex index_{file_, space_};  // by the last page of a stretch
  std::uint64_t pages_ = 0;
  // Cached answer of at_or_after(): valid for all pages from asked_ to the end of the stretch.
  mutable std::optional<std::uint64_t> asked_;
  mutable std::optional<Stretch> answer_;
};

}  // namespace shunt::sink
