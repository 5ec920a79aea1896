#include "shunt/sink/held_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "shunt/text/size_text.h"

namespace shunt::sink {
namespace {

std::uint64_t bit(std::size_t slot) {
  return std::uint64_t{1} << slot;
}

// Returns a mask of `count` bits from bit `first` on.
std::uint64_t bits(std::size_t first, std::size_t count) {
  return (count == 64 ? ~std::uint64_t{0} : (bit(count) - 1)) << first;
}

std::size_t slot_of(std::uint64_t offset) {
  return static_cast<std::size_t>(offset / HeldBlocks::kBlock % HeldBlocks::kLeafBlocks);
}

std::size_t place_in_block(std::uint64_t offset) {
  return static_cast<std::size_t>(offset % HeldBlocks::kBlock);
}

// Returns the first multiple of `unit` above `offset`, or the largest number.
std::uint64_t next_multiple(std::uint64_t offset, std::uint64_t unit) {
  const std::uint64_t begin = offset - offset % unit;
  return begin > UINT64_MAX - unit ? UINT64_MAX : begin + unit;
}

}  // namespace

bool is_zeros(std::span<const std::byte> bytes) {
  constexpr std::size_t kHead = 16;
  for (const std::byte one : bytes.first(std::min(bytes.size(), kHead))) {
    if (one != std::byte{0}) return false;
  }
  // If each byte equals the one kHead before it, all are zeros.
  return bytes.size() <= kHead ||
         std::memcmp(bytes.data(), bytes.data() + kHead, bytes.size() - kHead) == 0;
}

HeldBlocks::HeldBlocks(std::uint64_t memory, std::string spill)
    : memory_(std::max(memory, kLeastMemory)), last_(leaves_.end()), spilled_(std::move(spill)) {}

HeldBlocks::~HeldBlocks() = default;

HeldBlocks::Leaf* HeldBlocks::find(std::uint64_t number) const {
  if (last_ == leaves_.end() || last_->first != number) {
    const auto found = leaves_.find(number);
    if (found == leaves_.end()) return nullptr;
    last_ = found;
  }
  return &last_->second;
}

// The leaves of adjoining blocks take almost no memory.
bool HeldBlocks::has_no_room_for(std::uint64_t size) const {
  constexpr std::uint64_t kCost = sizeof(Leaves::value_type) + 128;  // with what the heap takes
  const std::uint64_t free = std::min(memory_ / 64, std::uint64_t{1} << 20);
  const std::uint64_t leaves = leaves_.size() * kCost;
  return blocks_in_memory_ * kBlock + (leaves - std::min(leaves, free)) + size > memory_;
}

// Returns the new block; contents unspecified.
std::byte* HeldBlocks::add_to_memory(std::uint64_t number, std::size_t slot) {
  std::byte* const block = pool_.take();
  if (find(number) == nullptr) {
    last_ = leaves_.try_emplace(number).first;
    last_->second.age = by_age_.insert(by_age_.end(), number);
  }
  Leaf& leaf = last_->second;
  leaf.blocks[slot] = block;
  leaf.in_memory |= bit(slot);
  ++blocks_in_memory_;
  peak_blocks_ = std::max(peak_blocks_, blocks_in_memory_ + blocks_spilled_);
  note_peak();
  return block;
}

HeldBlocks::Leaves::iterator HeldBlocks::drop(Leaves::iterator leaf, std::uint64_t mask) {
  mask &= leaf->second.in_memory;
  leaf->second.in_memory &= ~mask;
  blocks_in_memory_ -= static_cast<std::uint64_t>(std::popcount(mask));
  for (; mask != 0; mask &= mask - 1) {
    pool_.give_back(leaf->second.blocks[static_cast<std::size_t>(std::countr_zero(mask))]);
  }
  if (leaf->second.in_memory != 0) return std::next(leaf);
  by_age_.erase(leaf->second.age);
  last_ = leaves_.end();
  return leaves_.erase(leaf);
}

// Pages of zeros are not written.
Result<void> HeldBlocks::spill(Leaves::iterator leaf) {
  std::array<std::byte*, kLeafBlocks * kBlockPages> run;
  std::size_t pages = 0;  // in it, the last of them before the page `next`
  std::uint64_t next = 0;
  const auto put = [&]() -> Result<void> {
    SHUNT_TRY(spilled_.put(next - pages, std::span(run).first(pages)));
    pages_spilled_ += std::exchange(pages, 0);
    return {};
  };
  for (std::uint64_t rest = leaf->second.in_memory; rest != 0; rest &= rest - 1) {
    const auto slot = static_cast<std::size_t>(std::countr_zero(rest));
    for (std::size_t i = 0; i < kBlockPages; ++i) {
      std::byte* const bytes = leaf->second.blocks[slot] + i * kPage;
      const std::uint64_t page = (leaf->first * kLeafBlocks + slot) * kBlockPages + i;
      if (is_zeros({bytes, kPage})) continue;
      if (page != next) SHUNT_TRY(put());
      run[pages++] = bytes;
      next = page + 1;
    }
  }
  SHUNT_TRY(put());
  blocks_spilled_ += static_cast<std::uint64_t>(std::popcount(leaf->second.in_memory));
  drop(leaf, ~std::uint64_t{0});
  return {};
}

Result<void> HeldBlocks::make_room() {
  while (has_no_room_for(kBlock)) {
    if (!spilled_.wanted()) {
      Error error = system_error(ENOSPC, "", "hold unsent data");
      error.reason = fmt::format("the memory of {} is full", format_size(memory_));
      error.hint = "give more with --memory, or a folder with --spill";
      return error;
    }
    const auto oldest = std::ranges::find_if(by_age_, [&](std::uint64_t number) {
      return ByteRange::of(number * kLeaf, kLeaf).intersect(pinned_).empty();
    });
    if (oldest == by_age_.end()) return {};  // all is on its way out, which has its own limit
    const Result<void> spilled = spill(leaves_.find(*oldest));
    if (!spilled) return spilled.error().with_hint("name a folder with more room with --spill");
  }
  return {};
}

Result<bool> HeldBlocks::is_in_file(std::uint64_t block) const {
  SHUNT_ASSIGN(const std::optional<SpillFile::Stretch> stretch,
               spilled_.at_or_after(block * kBlockPages));
  return stretch && stretch->first < (block + 1) * kBlockPages;
}

// Writes within one block that has pages in the file.
Result<void> HeldBlocks::write_in_file(std::uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const std::uint64_t page = offset / kPage;
    const auto at = static_cast<std::size_t>(offset % kPage);
    const auto part = data.first(std::min(data.size(), kPage - at));
    SHUNT_ASSIGN(const std::optional<SpillFile::Stretch> there, spilled_.holding(page));
    if (there) {
      SHUNT_TRY(spilled_.overwrite(*there, page, at, part));
    } else if (!is_zeros(part)) {
      std::array<std::byte, kPage> bytes{};
      std::ranges::copy(part, bytes.begin() + static_cast<std::ptrdiff_t>(at));
      std::byte* const one = bytes.data();
      SHUNT_TRY(spilled_.put(page, std::span(&one, 1)));
      ++pages_spilled_;
      note_peak();
    }
    offset += part.size();
    data = data.subspan(part.size());
  }
  return {};
}

Result<void> HeldBlocks::write_in_block(std::uint64_t offset, std::span<const std::byte> data) {
  const std::uint64_t number = offset / kLeaf;
  const std::size_t slot = slot_of(offset);
  const std::size_t at = place_in_block(offset);
  Leaf* const leaf = find(number);
  if (leaf != nullptr && (leaf->in_memory & bit(slot)) != 0) {
    if (data.size() == kBlock && is_zeros(data)) {
      drop(last_, bit(slot));
      return {};
    }
    by_age_.splice(by_age_.end(), by_age_, leaf->age);
    std::memcpy(leaf->blocks[slot] + at, data.data(), data.size());
    return {};
  }
  SHUNT_ASSIGN(const bool spilled, is_in_file(offset / kBlock));
  if (spilled) return write_in_file(offset, data);
  if (is_zeros(data)) return {};
  SHUNT_TRY(make_room());
  std::byte* const bytes = add_to_memory(number, slot);
  std::memset(bytes, 0, at);
  std::memcpy(bytes + at, data.data(), data.size());
  std::memset(bytes + at + data.size(), 0, kBlock - at - data.size());
  return {};
}

Result<void> HeldBlocks::write(std::uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const auto part = data.first(std::min(data.size(), kBlock - place_in_block(offset)));
    SHUNT_TRY(write_in_block(offset, part));
    offset += part.size();
    data = data.subspan(part.size());
  }
  return {};
}

void HeldBlocks::zero_in_memory(ByteRange range) {
  for (auto leaf = leaves_.lower_bound(range.begin / kLeaf);
       leaf != leaves_.end() && leaf->first * kLeaf < range.end;) {
    ByteRange part = ByteRange::of(leaf->first * kLeaf, kLeaf).intersect(range);
    std::uint64_t whole = 0;
    while (!part.empty()) {
      const std::size_t slot = slot_of(part.begin);
      const std::size_t at = place_in_block(part.begin);
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), kBlock - at));
      if (size == kBlock) {
        whole |= bit(slot);
      } else if ((leaf->second.in_memory & bit(slot)) != 0) {
        std::memset(leaf->second.blocks[slot] + at, 0, size);
      }
      part.begin += size;
    }
    leaf = drop(leaf, whole);
  }
}

Result<void> HeldBlocks::zero_in_file(ByteRange range) {
  while (!range.empty() && !spilled_.empty()) {
    const std::uint64_t page = range.begin / kPage;
    const auto at = static_cast<std::size_t>(range.begin % kPage);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), kPage - at));
    if (size == kPage) {
      const std::uint64_t end = range.end / kPage;
      SHUNT_TRY(spilled_.erase(page, end));
      range.begin = end * kPage;
      continue;
    }
    SHUNT_ASSIGN(const std::optional<SpillFile::Stretch> there, spilled_.holding(page));
    static constexpr std::array<std::byte, kPage> kZeros{};
    if (there) SHUNT_TRY(spilled_.overwrite(*there, page, at, std::span(kZeros).first(size)));
    range.begin += size;
  }
  return {};
}

Result<void> HeldBlocks::zero(ByteRange range) {
  if (range.empty()) return {};
  zero_in_memory(range);
  return zero_in_file(range);
}

Result<HeldBlocks::Run> HeldBlocks::next_run(ByteRange range) const {
  Run run;
  run.range = {range.begin, range.begin};
  while (run.range.end < range.end) {
    const std::uint64_t at = run.range.end;
    const std::uint64_t page = at / kPage;
    const Leaf* const leaf = find(at / kLeaf);
    auto where = Run::Where::kNowhere;
    std::uint64_t end = range.end;
    std::uint64_t place = 0;
    if (leaf != nullptr && (leaf->in_memory & bit(slot_of(at))) != 0) {
      where = Run::Where::kMemory;
      end = next_multiple(at, kBlock);
    } else {
      SHUNT_ASSIGN(const std::optional<SpillFile::Stretch> spilled, spilled_.at_or_after(page));
      if (spilled && spilled->first <= page) {
        where = Run::Where::kFile;
        end = (spilled->last + 1) * kPage;
        place = spilled->place_of(page) + at % kPage;
      } else {
        if (spilled) end = std::min(end, spilled->first * kPage);
        const std::uint64_t behind =
            leaf == nullptr ? 0 : leaf->in_memory & ~bits(0, slot_of(at) + 1);
        if (behind != 0) {
          const auto slot = static_cast<std::uint64_t>(std::countr_zero(behind));
          end = std::min(end, at - at % kLeaf + slot * kBlock);
        } else if (const auto next = leaves_.upper_bound(at / kLeaf); next != leaves_.end()) {
          const auto slot = static_cast<std::uint64_t>(std::countr_zero(next->second.in_memory));
          end = std::min(end, next->first * kLeaf + slot * kBlock);
        }
      }
    }
    end = std::min(end, range.end);
    if (at == range.begin) {
      run.where = where;
      run.place = place;
    } else if (where != run.where ||
               (where == Run::Where::kFile && place != run.place + (at - range.begin))) {
      break;
    }
    if (where == Run::Where::kMemory) {
      if (run.parts == run.memory.size()) break;
      run.memory[run.parts++] = {leaf->blocks[slot_of(at)] + place_in_block(at),
                                 static_cast<std::size_t>(end - at)};
    }
    run.range.end = end;
  }
  return run;
}

Result<void> HeldBlocks::read(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    SHUNT_ASSIGN(const Run run, next_run(ByteRange::of(offset, into.size())));
    const auto part = into.first(static_cast<std::size_t>(run.range.size()));
    if (run.where == Run::Where::kNowhere) {
      std::ranges::fill(part, std::byte{0});
    } else if (run.where == Run::Where::kFile) {
      SHUNT_ASSIGN(const std::size_t got, file().read_at(run.place, part));
      // A block is always written to the file as a whole.
      if (got < part.size()) return system_error(EIO, file().path(), "read");
    } else {
      std::byte* to = part.data();
      for (std::size_t i = 0; i < run.parts; ++i) {
        std::memcpy(to, run.memory[i].data(), run.memory[i].size());
        to += run.memory[i].size();
      }
    }
    offset += part.size();
    into = into.subspan(part.size());
  }
  return {};
}

Result<void> HeldBlocks::forget_before(std::uint64_t offset) {
  return zero({0, offset - offset % kBlock});
}

}  // namespace shunt::sink
