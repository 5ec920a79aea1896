// What is where in the spill file: an ordered table that lies in the file itself.
//
// A B+ tree of pages of one slot each. In a page of level 0 an entry is what was put in; above, the
// largest key that a page below has had, and that page's slot. Few pages are in memory, so that the
// memory does not depend on how much there is, nor on how it is scattered.
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

// For one thread at a time. After an error the table is not to be used any more.
class SpillIndex {
 public:
  static constexpr std::size_t kPage = 4096;  // bytes of a slot

  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };

  // Neither is owned.
  SpillIndex(io::File& file, SpillSpace& space);
  SpillIndex(const SpillIndex&) = delete;
  SpillIndex& operator=(const SpillIndex&) = delete;

  [[nodiscard]] bool empty() const { return !root_; }
  // The entry of the smallest key that is not smaller than this; nullopt: there is none.
  [[nodiscard]] Result<std::optional<Entry>> at_or_after(std::uint64_t key);
  Result<void> insert(Entry entry);  // whose key is not there yet
  Result<void> erase(std::uint64_t key);

 private:
  static constexpr std::size_t kMostEntries = 255;
  // More than three times the height that a tree can come to: a page stays in memory while one
  // function goes down and up again.
  static constexpr std::size_t kCachedPages = 64;

  struct Page {
    std::uint32_t level = 0;
    std::uint32_t count = 0;
    std::array<Entry, kMostEntries> entries{};
    std::uint64_t unused = 0;

    [[nodiscard]] std::size_t find(std::uint64_t key) const;  // the first at or after it
    void insert(std::size_t at, Entry entry);
    void erase(std::size_t at);
  };
  static_assert(sizeof(Page) == kPage);

  struct Cached {
    std::uint64_t slot = 0;
    std::uint64_t used_at = 0;  // a count of uses; 0: holds none
    bool changed = false;
    std::unique_ptr<Page> page;
  };

  Result<Cached*> room_for(std::uint64_t slot);
  Result<Page*> look_at(std::uint64_t slot);
  Result<Page*> change(std::uint64_t slot);
  Result<std::uint64_t> create(std::uint32_t level);
  void free_page(std::uint64_t slot);

  Result<std::optional<Entry>> search(std::uint64_t slot, std::uint64_t key);
  // The entry of a page that was split off, for the page above.
  Result<std::optional<Entry>> insert_below(std::uint64_t slot, Entry entry);
  Result<std::optional<Entry>> insert_here(std::uint64_t slot, Entry entry);
  Result<bool> erase_below(std::uint64_t slot, std::uint64_t key);  // whether the page is gone

  io::File& file_;
  SpillSpace& space_;
  std::optional<std::uint64_t> root_;
  std::vector<Cached> cache_;
  std::uint64_t uses_ = 0;
};

}  // namespace shunt::sink
