// Pages of a disk in a file without a name, which is as long as what it holds.
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

// One thread at a time, but that others may read what was found from file() until it is erased. An
// Error leaves what the table says undefined.
class SpillFile {
 public:
  static constexpr std::size_t kPage = SpillIndex::kPage;  // in bytes; one slot

  // Whether such a file can be made in `folder`: better known before anybody is at work.
  [[nodiscard]] static Result<void> try_folder(const std::string& folder);

  // In `folder`, once there is something to put in; empty: there is to be no such file.
  explicit SpillFile(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] bool wanted() const { return !folder_.empty(); }
  [[nodiscard]] const io::File& file() const { return file_; }
  [[nodiscard]] bool empty() const { return pages_ == 0; }
  [[nodiscard]] std::uint64_t pages() const { return pages_; }
  // How long the file is, in pages, the table among them.
  [[nodiscard]] std::uint64_t slots() const { return space_.end(); }

  // Neighbours on the disk and in the file: pages from `first` to `last`, the first of them at
  // slot `slot`.
  struct Stretch {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t slot = 0;

    // Where the file has a page that is among them, in bytes.
    [[nodiscard]] std::uint64_t place_of(std::uint64_t page) const {
      return (slot + page - first) * kPage;
    }
  };
  // What has this page, or else the first behind it; nullopt: nothing has.
  [[nodiscard]] Result<std::optional<Stretch>> at_or_after(std::uint64_t page) const;
  // What has this page.
  [[nodiscard]] Result<std::optional<Stretch>> holding(std::uint64_t page) const;

  // Neighbours from `first` on, none of which it has.
  Result<void> put(std::uint64_t first, std::span<std::byte* const> pages);
  // A part of a page that it has.
  Result<void> overwrite(const Stretch& stretch, std::uint64_t page, std::size_t at,
                         std::span<const std::byte> data);
  // What it has of the pages from `first` on and before `end`. Space is given back too, where the
  // file system can.
  Result<void> erase(std::uint64_t first, std::uint64_t end);

 private:
  Result<void> add(const Stretch& stretch);
  void free_slots(Slots slots);

  const std::string folder_;
  io::File file_;
  SpillSpace space_;
  mutable SpillIndex index_{file_, space_};  // by the last page of a stretch
  std::uint64_t pages_ = 0;
  // The answer to the last question, and to all from there to the stretch's end.
  mutable std::optional<std::uint64_t> asked_;
  mutable std::optional<Stretch> answer_;
};

}  // namespace shunt::sink
