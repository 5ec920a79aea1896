#include "sink/held_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/size_text.h"

namespace shunt::sink {
namespace {

std::uint64_t bit(std::size_t slot) {
  return std::uint64_t{1} << slot;
}

// `count` bits from `first` on.
std::uint64_t bits(std::size_t first, std::size_t count) {
  return (count == 64 ? ~std::uint64_t{0} : (bit(count) - 1)) << first;
}

std::size_t slot_of(std::uint64_t offset) {
  return static_cast<std::size_t>(offset / HeldBlocks::kBlock % HeldBlocks::kLeafBlocks);
}

std::size_t place_in_block(std::uint64_t offset) {
  return static_cast<std::size_t>(offset % HeldBlocks::kBlock);
}

// The first multiple of `unit` behind `offset`, or the end of all numbers.
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
  // The rest equals what stands kHead bytes before it, which is zeros.
  return bytes.size() <= kHead ||
         std::memcmp(bytes.data(), bytes.data() + kHead, bytes.size() - kHead) == 0;
}

HeldBlocks::HeldBlocks(std::uint64_t memory, std::string spill)
    : most_blocks_(std::max(memory, kLeastMemory) / kBlock),
      spill_(std::move(spill)),
      last_(leaves_.end()) {}

HeldBlocks::~HeldBlocks() = default;

const HeldBlocks::Leaf* HeldBlocks::find(std::uint64_t number) const {
  if (last_ == leaves_.end() || last_->first != number) {
    const auto found = leaves_.find(number);
    if (found == leaves_.end()) return nullptr;
    last_ = found;
  }
  return &last_->second;
}

HeldBlocks::Leaf& HeldBlocks::leaf_at(std::uint64_t number) {
  if (last_ == leaves_.end() || last_->first != number) {
    last_ = leaves_.try_emplace(number).first;
  }
  return const_cast<Leaf&>(last_->second);  // a const_iterator only for the sake of find()
}

HeldBlocks::Leaves::iterator HeldBlocks::remove(Leaves::iterator leaf) {
  for (std::size_t slot = 0; slot < kLeafBlocks; ++slot) drop_from_memory(leaf->second, slot);
  last_ = leaves_.end();
  return leaves_.erase(leaf);
}

// The bytes of the new block are any.
std::byte* HeldBlocks::add_to_memory(std::uint64_t number, Leaf& leaf, std::size_t slot) {
  if (leaf.in_memory == 0) {
    leaf.blocks = std::make_unique<Blocks>();
    leaf.age = by_age_.insert(by_age_.end(), number);
  }
  std::byte* const block = pool_.take();
  (*leaf.blocks)[slot] = block;
  leaf.in_memory |= bit(slot);
  ++blocks_in_memory_;
  peak_blocks_ = std::max(peak_blocks_, blocks_in_memory_ + blocks_in_file_);
  return block;
}

void HeldBlocks::drop_from_memory(Leaf& leaf, std::size_t slot) {
  if ((leaf.in_memory & bit(slot)) == 0) return;
  pool_.give_back((*leaf.blocks)[slot]);
  --blocks_in_memory_;
  leaf.in_memory &= ~bit(slot);
  if (leaf.in_memory != 0) return;
  leaf.blocks.reset();
  by_age_.erase(leaf.age);
}

// Space in the file is given back too; a file system without holes keeps it, and the zeros that are
// read there are never asked for.
void HeldBlocks::drop_from_file(Leaf& leaf, std::uint64_t first_block, std::uint64_t mask) {
  mask &= leaf.in_file;
  blocks_in_file_ -= static_cast<std::uint64_t>(std::popcount(mask));
  leaf.in_file &= ~mask;
  while (mask != 0) {
    const auto first = static_cast<std::size_t>(std::countr_zero(mask));
    const auto count = static_cast<std::size_t>(std::countr_one(mask >> first));
    mask &= ~bits(first, count);
    (void)file_.punch_hole(ByteRange::of((first_block + first) * kBlock, count * kBlock));
  }
}

Result<void> HeldBlocks::spill(std::uint64_t number, Leaf& leaf) {
  if (!file_.valid()) {
    SHUNT_ASSIGN(file_, io::File::create_unnamed(spill_));
  }
  for (std::size_t slot = 0; slot < kLeafBlocks; ++slot) {
    if ((leaf.in_memory & bit(slot)) == 0) continue;
    const std::uint64_t at = number * kLeaf + slot * kBlock;
    SHUNT_TRY(file_.write_at(at, {(*leaf.blocks)[slot], kBlock}));
    leaf.in_file |= bit(slot);
    ++blocks_in_file_;
    ++blocks_spilled_;
    drop_from_memory(leaf, slot);
  }
  return {};
}

Result<void> HeldBlocks::make_room() {
  if (blocks_in_memory_ < most_blocks_) return {};
  if (spill_.empty()) {
    Error error = system_error(ENOSPC, "", "hold what was written");
    error.reason = fmt::format("the memory of {} is full", format_size(most_blocks_ * kBlock));
    error.hint = "give more with --memory, or a folder with --spill";
    return error;
  }
  for (const std::uint64_t number : by_age_) {
    if (!ByteRange::of(number * kLeaf, kLeaf).intersect(pinned_).empty()) continue;
    const Result<void> spilled = spill(number, leaves_.find(number)->second);
    if (spilled) return {};
    return spilled.error().with_hint("name a folder with more room with --spill");
  }
  return {};  // all is on its way out, which has a limit of its own
}

Result<void> HeldBlocks::write_in_block(std::uint64_t block, std::size_t at,
                                        std::span<const std::byte> data) {
  const std::uint64_t number = block / kLeafBlocks;
  const auto slot = static_cast<std::size_t>(block % kLeafBlocks);
  const Leaf* const there = find(number);
  if (there != nullptr && (there->in_file & bit(slot)) != 0) {
    return file_.write_at(block * kBlock + at, data);
  }
  if (there == nullptr || (there->in_memory & bit(slot)) == 0) {
    if (is_zeros(data)) return {};
    SHUNT_TRY(make_room());
    std::byte* const bytes = add_to_memory(number, leaf_at(number), slot);
    std::memset(bytes, 0, at);
    std::memcpy(bytes + at, data.data(), data.size());
    std::memset(bytes + at + data.size(), 0, kBlock - at - data.size());
    return {};
  }
  Leaf& leaf = leaf_at(number);
  if (data.size() == kBlock && is_zeros(data)) {
    drop_from_memory(leaf, slot);
    return {};
  }
  by_age_.splice(by_age_.end(), by_age_, leaf.age);
  std::memcpy((*leaf.blocks)[slot] + at, data.data(), data.size());
  return {};
}

Result<void> HeldBlocks::write(std::uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const std::size_t at = place_in_block(offset);
    const auto part = data.first(std::min(data.size(), kBlock - at));
    SHUNT_TRY(write_in_block(offset / kBlock, at, part));
    offset += part.size();
    data = data.subspan(part.size());
  }
  return {};
}

// `range` lies within the leaf.
Result<void> HeldBlocks::zero_in_leaf(Leaf& leaf, ByteRange range) {
  const std::uint64_t first_block = range.begin / kLeaf * kLeafBlocks;
  std::uint64_t whole = 0;
  while (!range.empty()) {
    const std::size_t slot = slot_of(range.begin);
    const std::size_t at = place_in_block(range.begin);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(range.size(), kBlock - at));
    if (size == kBlock) {
      drop_from_memory(leaf, slot);
      whole |= bit(slot);
    } else if ((leaf.in_memory & bit(slot)) != 0) {
      std::memset((*leaf.blocks)[slot] + at, 0, size);
    } else if ((leaf.in_file & bit(slot)) != 0) {
      const std::vector<std::byte> zeros(size);
      SHUNT_TRY(file_.write_at(range.begin, zeros));
    }
    range.begin += size;
  }
  drop_from_file(leaf, first_block, whole);
  return {};
}

Result<void> HeldBlocks::zero(ByteRange range) {
  if (range.empty()) return {};
  for (auto leaf = leaves_.lower_bound(range.begin / kLeaf);
       leaf != leaves_.end() && leaf->first * kLeaf < range.end;) {
    const ByteRange place = ByteRange::of(leaf->first * kLeaf, kLeaf);
    SHUNT_TRY(zero_in_leaf(leaf->second, place.intersect(range)));
    if (leaf->second.in_memory == 0 && leaf->second.in_file == 0) {
      leaf = remove(leaf);
    } else {
      ++leaf;
    }
  }
  return {};
}

HeldBlocks::Run HeldBlocks::next_run(ByteRange range) const {
  Run run;
  run.range = {range.begin, range.begin};
  while (run.range.end < range.end) {
    const std::uint64_t at = run.range.end;
    const Leaf* leaf = find(at / kLeaf);
    const std::uint64_t mask = bit(slot_of(at));
    const auto where = leaf == nullptr                 ? Run::Where::kNowhere
                       : (leaf->in_memory & mask) != 0 ? Run::Where::kMemory
                       : (leaf->in_file & mask) != 0   ? Run::Where::kFile
                                                       : Run::Where::kNowhere;
    if (at != range.begin && where != run.where) break;
    run.where = where;
    if (where == Run::Where::kMemory && run.parts == run.memory.size()) break;
    if (leaf == nullptr) {
      const auto next = leaves_.lower_bound(at / kLeaf);
      run.range.end = next == leaves_.end() ? range.end : std::min(range.end, next->first * kLeaf);
      continue;
    }
    const std::uint64_t end = std::min(range.end, next_multiple(at, kBlock));
    if (where == Run::Where::kMemory) {
      run.memory[run.parts++] = {(*leaf->blocks)[slot_of(at)] + place_in_block(at),
                                 static_cast<std::size_t>(end - at)};
    }
    run.range.end = end;
  }
  return run;
}

Result<void> HeldBlocks::read(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const Run run = next_run(ByteRange::of(offset, into.size()));
    const auto part = into.first(static_cast<std::size_t>(run.range.size()));
    if (run.where == Run::Where::kNowhere) {
      std::ranges::fill(part, std::byte{0});
    } else if (run.where == Run::Where::kFile) {
      SHUNT_ASSIGN(const std::size_t got, file_.read_at(offset, part));
      // A block is written to the file whole.
      if (got < part.size()) return system_error(EIO, file_.path(), "read");
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

void HeldBlocks::forget_before(std::uint64_t offset) {
  const std::uint64_t end = offset - offset % kBlock;
  for (auto leaf = leaves_.begin(); leaf != leaves_.end() && leaf->first * kLeaf < end;) {
    const ByteRange place = ByteRange::of(leaf->first * kLeaf, kLeaf).intersect({0, end});
    (void)zero_in_leaf(leaf->second, place);  // whole blocks: nothing that fails
    if (place.size() < kLeaf) return;
    leaf = remove(leaf);
  }
}

}  // namespace shunt::sink
