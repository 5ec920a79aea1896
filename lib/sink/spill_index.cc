#include "shunt/sink/spill_index.h"

#include <algorithm>
#include <cerrno>
#include <span>

namespace shunt::sink {

// ---- one page -----------------------------------------------------------------------------------

std::size_t SpillIndex::Page::find(std::uint64_t key) const {
  const auto used = std::span(entries).first(count);
  return static_cast<std::size_t>(std::ranges::lower_bound(used, key, {}, &Entry::key) -
                                  used.begin());
}

void SpillIndex::Page::insert(std::size_t at, Entry entry) {
  std::copy_backward(entries.begin() + at, entries.begin() + count, entries.begin() + count + 1);
  entries[at] = entry;
  ++count;
}

void SpillIndex::Page::erase(std::size_t at) {
  std::copy(entries.begin() + at + 1, entries.begin() + count, entries.begin() + at);
  --count;
}

// ---- pages in memory ----------------------------------------------------------------------------

SpillIndex::SpillIndex(io::File& file, SpillSpace& space) : file_(file), space_(space) {}

// Returns the place for a page that is not in memory, evicting the least recently used one.
Result<SpillIndex::Cached*> SpillIndex::room_for(std::uint64_t slot) {
  if (cache_.size() < kCachedPages) {
    cache_.push_back({.page = std::make_unique<Page>()});
    cache_.back().slot = slot;
    return &cache_.back();
  }
  Cached& oldest = *std::ranges::min_element(cache_, {}, &Cached::used_at);
  if (oldest.changed) {
    SHUNT_TRY(file_.write_at(oldest.slot * kPage, std::as_bytes(std::span(oldest.page.get(), 1))));
    oldest.changed = false;
  }
  oldest.slot = slot;
  oldest.used_at = 0;
  return &oldest;
}

Result<SpillIndex::Page*> SpillIndex::look_at(std::uint64_t slot) {
  const auto found = std::ranges::find_if(
      cache_, [&](const Cached& one) { return one.slot == slot && one.used_at > 0; });
  if (found != cache_.end()) {
    found->used_at = ++uses_;
    return found->page.get();
  }
  SHUNT_ASSIGN(Cached* const cached, room_for(slot));
  SHUNT_ASSIGN(
      const std::size_t got,
      file_.read_at(slot * kPage, std::as_writable_bytes(std::span(cached->page.get(), 1))));
  if (got < kPage) return system_error(EIO, file_.path(), "read");
  cached->used_at = ++uses_;
  return cached->page.get();
}

Result<SpillIndex::Page*> SpillIndex::change(std::uint64_t slot) {
  SHUNT_ASSIGN(Page* const page, look_at(slot));
  std::ranges::find_if(cache_, [&](const Cached& one) { return one.page.get() == page; })->changed =
      true;
  return page;
}

Result<std::uint64_t> SpillIndex::create(std::uint32_t level) {
  const std::uint64_t slot = space_.take(1).first;
  SHUNT_ASSIGN(Cached* const cached, room_for(slot));
  *cached->page = {.level = level};
  cached->used_at = ++uses_;
  cached->changed = true;
  return slot;
}

void SpillIndex::free_page(std::uint64_t slot) {
  for (Cached& one : cache_) {
    if (one.slot != slot) continue;
    one.used_at = 0;
    one.changed = false;
  }
  space_.give_back({slot, 1});
}

// ---- the tree -----------------------------------------------------------------------------------

Result<std::optional<SpillIndex::Entry>> SpillIndex::search(std::uint64_t slot, std::uint64_t key) {
  SHUNT_ASSIGN(const Page* page, look_at(slot));
  std::size_t at = page->find(key);
  if (page->level == 0) {
    return at < page->count ? std::optional(page->entries[at]) : std::nullopt;
  }
  // The largest entry below may have been erased: then the next page has the answer.
  for (; at < page->count; ++at) {
    SHUNT_ASSIGN(const std::optional<Entry> found, search(page->entries[at].value, key));
    if (found) return found;
    SHUNT_ASSIGN(page, look_at(slot));
  }
  return std::optional<Entry>();
}

Result<std::optional<SpillIndex::Entry>> SpillIndex::at_or_after(std::uint64_t key) {
  if (!root_) return std::optional<Entry>();
  return search(*root_, key);
}

// Splits a full page: its lower half moves to a new page, or all of it if the new entry is the
// largest, so that entries inserted in order fill their pages.
Result<std::optional<SpillIndex::Entry>> SpillIndex::insert_here(std::uint64_t slot, Entry entry) {
  SHUNT_ASSIGN(Page * page, change(slot));
  const std::size_t at = page->find(entry.key);
  if (page->count < kMostEntries) {
    page->insert(at, entry);
    return std::optional<Entry>();
  }
  const std::size_t half = at == page->count ? at : page->count / 2;
  SHUNT_ASSIGN(const std::uint64_t lower_slot, create(page->level));
  SHUNT_ASSIGN(Page* const lower, change(lower_slot));
  SHUNT_ASSIGN(page, change(slot));
  std::copy_n(page->entries.begin(), half, lower->entries.begin());
  lower->count = static_cast<std::uint32_t>(half);
  std::copy(page->entries.begin() + half, page->entries.begin() + page->count,
            page->entries.begin());
  page->count -= lower->count;
  if (at < half) {
    lower->insert(at, entry);
  } else {
    page->insert(at - half, entry);
  }
  return std::optional(Entry{lower->entries[lower->count - 1].key, lower_slot});
}

Result<std::optional<SpillIndex::Entry>> SpillIndex::insert_below(std::uint64_t slot, Entry entry) {
  SHUNT_ASSIGN(const Page* const page, look_at(slot));
  if (page->level == 0) return insert_here(slot, entry);
  std::size_t at = page->find(entry.key);
  if (at == page->count) {
    SHUNT_ASSIGN(Page* const last, change(slot));
    last->entries[--at].key = entry.key;
  }
  SHUNT_ASSIGN(const std::optional<Entry> split, insert_below(page->entries[at].value, entry));
  if (!split) return std::optional<Entry>();
  return insert_here(slot, *split);
}

Result<void> SpillIndex::insert(Entry entry) {
  if (!root_) {
    SHUNT_ASSIGN(root_, create(0));
  }
  SHUNT_ASSIGN(const std::optional<Entry> split, insert_below(*root_, entry));
  if (!split) return {};
  SHUNT_ASSIGN(const Page* const old, look_at(*root_));
  const Entry upper{old->entries[old->count - 1].key, *root_};
  SHUNT_ASSIGN(const std::uint64_t slot, create(old->level + 1));
  SHUNT_ASSIGN(Page* const root, change(slot));
  root->insert(0, *split);
  root->insert(1, upper);
  root_ = slot;
  return {};
}

Result<bool> SpillIndex::erase_below(std::uint64_t slot, std::uint64_t key) {
  SHUNT_ASSIGN(const Page* const page, look_at(slot));
  const std::size_t at = page->find(key);
  if (at == page->count) return system_error(EIO, file_.path(), "read");  // it was overwritten
  if (page->level > 0) {
    SHUNT_ASSIGN(const bool gone, erase_below(page->entries[at].value, key));
    if (!gone) return false;
  }
  SHUNT_ASSIGN(Page* const changed, change(slot));
  changed->erase(at);
  if (changed->count > 0) return false;
  free_page(slot);
  return true;
}

Result<void> SpillIndex::erase(std::uint64_t key) {
  if (!root_) return {};
  SHUNT_ASSIGN(const bool gone, erase_below(*root_, key));
  if (gone) {
    root_.reset();
    return {};
  }
  // A root with a single child is removed.
  while (true) {
    SHUNT_ASSIGN(const Page* const page, look_at(*root_));
    if (page->level == 0 || page->count > 1) return {};
    const std::uint64_t below = page->entries[0].value;
    free_page(*root_);
    root_ = below;
  }
}

}  // namespace shunt::sink
