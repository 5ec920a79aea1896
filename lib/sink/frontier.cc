#include "shunt/sink/frontier.h"

#include <algorithm>

namespace shunt::sink {

std::string_view to_string(CommitPolicy policy) {
  switch (policy) {
    case CommitPolicy::kWindow:
      return "window";
    case CommitPolicy::kAtEnd:
      return "at-end";
    case CommitPolicy::kAuto:
      return "auto";
  }
  return "";
}

std::optional<CommitPolicy> parse_policy(std::string_view text) {
  for (const auto policy : {CommitPolicy::kWindow, CommitPolicy::kAtEnd, CommitPolicy::kAuto}) {
    if (to_string(policy) == text) return policy;
  }
  return std::nullopt;
}

Frontier::Frontier(CommitPolicy policy, std::uint64_t window)
    : policy_(policy), window_(window), streams_(policy != CommitPolicy::kAtEnd) {}

void Frontier::stop_streaming() {
  streams_ = false;
  known_.clear();
}

void Frontier::note_way_back(ByteRange range) {
  if (range.begin < highest_) window_needed_ = std::max(window_needed_, highest_ - range.begin);
}

void Frontier::note_change(ByteRange range, bool is_data) {
  note_way_back(range);
  if (is_data) highest_ = std::max(highest_, range.end);
  if (policy_ == CommitPolicy::kWindow && highest_ > window_) {
    released_ = std::max(released_, highest_ - window_);
  }
}

void Frontier::wrote(ByteRange range) {
  note_change(range, true);
  if (policy_ == CommitPolicy::kAuto && streams_) data_in_auto(range);
}

void Frontier::wrote_zeros(ByteRange range) {
  note_change(range, true);
  if (policy_ == CommitPolicy::kAuto && streams_) zeros_in_auto(range);
}

void Frontier::zeroed(ByteRange range) {
  note_change(range, false);
  if (policy_ == CommitPolicy::kAuto && streams_) zeros_in_auto(range);
}

void Frontier::trimmed(ByteRange range) {
  if (policy_ != CommitPolicy::kAuto || !streams_) return;
  // A client that copies in order never discards part of the copy.
  if (range.begin < frontier_ || overlaps_data(range)) {
    stop_streaming();
  } else {
    forget(range);
  }
}

void Frontier::read() {
  if (policy_ == CommitPolicy::kAuto && streams_) stop_streaming();
}

void Frontier::read_at(ByteRange range) {
  if (range.begin < highest_) read_back_ = std::max(read_back_, highest_ - range.begin);
}

bool Frontier::overlaps_data(ByteRange range) const {
  auto at = known_.upper_bound(range.begin);
  if (at != known_.begin()) --at;
  for (; at != known_.end() && at->first < range.end; ++at) {
    if (!at->second.zeros && at->second.end > range.begin) return true;
  }
  return false;
}

void Frontier::forget(ByteRange range) {
  auto at = known_.upper_bound(range.begin);
  if (at != known_.begin()) --at;
  while (at != known_.end() && at->first < range.end) {
    const ByteRange was{at->first, at->second.end};
    if (was.end <= range.begin) {
      ++at;
      continue;
    }
    const bool zeros = at->second.zeros;
    at = known_.erase(at);
    if (was.begin < range.begin) known_.emplace(was.begin, Known{range.begin, zeros});
    if (was.end > range.end) known_.emplace(range.end, Known{was.end, zeros});
  }
}

// `range` must not overlap a known range.
void Frontier::add(ByteRange range, bool zeros) {
  auto next = known_.lower_bound(range.begin);
  if (next != known_.end() && next->first == range.end && next->second.zeros == zeros) {
    range.end = next->second.end;
    next = known_.erase(next);
  }
  if (next != known_.begin()) {
    const auto previous = std::prev(next);
    if (previous->second.end == range.begin && previous->second.zeros == zeros) {
      previous->second.end = range.end;
      return;
    }
  }
  known_.emplace(range.begin, Known{range.end, zeros});
}

void Frontier::data_in_auto(ByteRange range) {
  // A client that copies in order writes nothing twice.
  if (range.begin < frontier_ || overlaps_data(range)) return stop_streaming();
  // Far inside a range of zeros: these were a discard of the whole disk, not part of an ordered
  // copy, and their range may be written in any order.
  auto at = known_.upper_bound(range.begin);
  if (at != known_.begin()) {
    --at;
    if (at->second.zeros && at->second.end > range.begin && range.begin - at->first > window_) {
      known_.erase(at);
    }
  }
  forget(range);
  add(range, false);
  advance();
}

void Frontier::zeros_in_auto(ByteRange range) {
  if (range.begin < frontier_ || overlaps_data(range)) return stop_streaming();
  forget(range);
  add(range, true);
  advance();  // it may have filled the space before data
}

void Frontier::advance() {
  std::uint64_t known_to = frontier_;
  auto at = known_.begin();
  auto passed = at;  // everything before it is data, or zeros before data
  while (at != known_.end() && at->first == known_to) {
    known_to = at->second.end;
    if (!at->second.zeros) frontier_ = known_to;
    ++at;
    if (frontier_ == known_to) passed = at;
  }
  known_.erase(known_.begin(), passed);
  if (frontier_ > window_) released_ = std::max(released_, frontier_ - window_);
  if (known_.size() > kMostRanges) stop_streaming();
}

}  // namespace shunt::sink
