// The index of the spill file: an ordered table stored in the file itself.
//
// A B+ tree with pages of one slot each. On level 0 entries are those inserted; above, an entry is
// the largest key that the page below has had, and that page's slot. Few pages are in memory, so
// memory use depends neither on the number of entries nor on how scattered they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/file.h"
#include "shunt/sink/spill_space.h"

namespace shunt::sink {

// One thread at a time. After an error the table must not be used any more.
class SpillIndex {
 public:
  static constexpr std::size_t kPage = 4096;  // bytes; one slot

  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };

  // Neither is owned; both outlive the index.
  SpillIndex(io::File& file, SpillSpace& space);
  SpillIndex(const SpillIndex&) = delete;
  SpillIndex& operator=(const SpillIndex&) = delete;

  [[nodiscard]] bool empty() const { return !root_; }
  // Returns the entry with the smallest key at or after `key`, or nullopt.
  [[nodiscard]] Result<std::optional<Entry>> at_or_after(std::uint64_t key);
  Result<void> insert(Entry entry);  // the key is not in the table yet
  Result<void> erase(std::uint64_t key);

 private:
  static constexpr std::size_t kMostEntries = 255;
  // More than three times the largest possible height: a page stays in memory while one function
  // goes down the tree and up again.
  static constexpr std::size_t kCachedPages = 64;

  struct Page {
    std::uint32_t level = 0;
    std::uint32_t count = 0;
    std::array<Entry, kMostEntries> entries{};
    std::uint64_t unused = 0;

    [[nodiscard]] std::size_t find(std::uint64_t key) const;  // the first at or after `key`
    void insert(std::size_t at, Entry entry);
    void erase(std::size_t at);
  };
  static_assert(sizeof(Page) == kPage);

  struct Cached {
    std::uint64_t slot = 0;
    std::uint64_t used_at = 0;  // counter of uses; 0: empty
    bool changed = false;
    std::unique_ptr<Page> page;
  };

  Result<Cached*> room_for(std::uint64_t slot);
  Result<Page*> look_at(std::uint64_t slot);
  Result<Page*> change(std::uint64_t slot);
  Result<std::uint64_t> create(std::uint32_t level);
  void free_page(std::uint64_t slot);

  Result<std::optional<Entry>> search(std::uint64_t slot, std::uint64_t key);
  // Returns the entry of a page that was split off, to be added to the page above.
  Result<std::optional<Entry>> insert_below(std::uint64_t slot, Entry entry);
  Result<std::optional<Entry>> insert_here(std::uint64_t slot, Entry entry);
  Result<bool> erase_below(std::uint64_t slot, std::uint64_t key);  // true if the page is gone

  io::File& file_;
  SpillSpace& space_;
  std::optional<std::uint64_t> root_;
  std::vector<Cached> cache_;
  std::uint64_t uses_ = 0;
};

}  // namespace shunt::sink
