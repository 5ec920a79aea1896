#include "shunt/mp4/fragment_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"

namespace shunt::mp4 {
namespace {

// tfhd
constexpr std::uint32_t kBaseDataOffset = 0x1;
constexpr std::uint32_t kDescriptionIndex = 0x2;
constexpr std::uint32_t kDefaultDuration = 0x8;
constexpr std::uint32_t kDefaultSize = 0x10;
constexpr std::uint32_t kDefaultBaseIsMoof = 0x20000;
// trun
constexpr std::uint32_t kDataOffset = 0x1;
constexpr std::uint32_t kFirstFlags = 0x4;
constexpr std::uint32_t kSampleDuration = 0x100;
constexpr std::uint32_t kSampleSize = 0x200;
constexpr std::uint32_t kOfEachSample = 0xf00;

constexpr std::uint64_t kRunBatch = 32 * 1024;  // bytes of a run's table read at a time

}  // namespace

Result<std::vector<OffsetField>> FragmentScanner::scan(const boxes::Box& moof) {
  std::vector<OffsetField> fields;
  data_end_ = moof.range.begin;
  for (std::uint64_t at = moof.payload().begin; moof.range.end - at >= 8;) {
    SHUNT_TRY(check_cancel(cancel_));
    SHUNT_ASSIGN(const boxes::Box child, boxes::read_box(reader_, at, moof.range));
    if (child.type == boxes::BoxType("traf")) {
      SHUNT_ASSIGN(const std::optional<OffsetField> field, scan_traf(moof, child));
      if (field) fields.push_back(*field);
    }
    at = child.range.end;
  }
  return fields;
}

Result<std::optional<OffsetField>> FragmentScanner::scan_traf(const boxes::Box& moof,
                                                              const boxes::Box& traf) {
  Header header;
  bool here = true;
  bool has_run = false;
  std::uint64_t base = data_end_;
  std::uint64_t position = base;
  for (std::uint64_t at = traf.payload().begin; traf.range.end - at >= 8;) {
    SHUNT_TRY(check_cancel(cancel_));
    SHUNT_ASSIGN(const boxes::Box child, boxes::read_box(reader_, at, traf.range));
    at = child.range.end;
    if (child.type == boxes::BoxType("tfhd")) {
      SHUNT_ASSIGN(header, read_header(child));
      here = lies_here(header);
      if (!here) header.base.reset();
      if (header.from_moof) base = moof.range.begin;
      if (header.base) base = header.base->value;
      position = base;
    }
    if (child.type != boxes::BoxType("trun") || !here) continue;
    SHUNT_ASSIGN(const Run run, read_run(child, header));
    if (run.distance) position = checked_shift(base, *run.distance).value_or(base);
    if (header.base && run.distance) {
      // All runs share one base, so they must move alike.
      if (torn_ == Torn::kRefuse && has_run &&
          zones_.of(position) != zones_.of(header.base->target)) {
        return boxes::bad_box(traf, "its runs lie on both sides of moov");
      }
      header.base->target = position;
      has_run = true;
    }
    SHUNT_TRY(check(traf, header, position, run));
    position = checked_add(position, run.size).value_or(position);
  }
  data_end_ = position;
  return header.base;
}

Result<FragmentScanner::Header> FragmentScanner::read_header(const boxes::Box& tfhd) const {
  Header header;
  SHUNT_ASSIGN(const boxes::VersionAndFlags word, boxes::read_version_and_flags(reader_, tfhd));
  const std::uint32_t flags = word.flags;
  std::uint64_t at = 4;
  const auto take = [&](std::uint32_t width) -> Result<std::uint64_t> {
    SHUNT_ASSIGN(const auto field, boxes::view_payload(reader_, tfhd, at, width));
    at += width;
    return width == 8 ? load_be<std::uint64_t>(field.data())
                      : std::uint64_t{load_be<std::uint32_t>(field.data())};
  };
  SHUNT_ASSIGN(const std::uint64_t track, take(4));
  header.track = static_cast<std::uint32_t>(track);
  header.from_moof = (flags & kDefaultBaseIsMoof) != 0;
  const auto defaults =
      std::ranges::lower_bound(moov_.fragment_defaults, header.track, {}, &FragmentDefaults::track);
  if (defaults != moov_.fragment_defaults.end() && defaults->track == header.track) {
    header.description = defaults->description;
    header.sample_size = defaults->sample_size;
  }
  if ((flags & kBaseDataOffset) != 0) {
    const std::uint64_t field_at = tfhd.payload().begin + at;
    SHUNT_ASSIGN(const std::uint64_t value, take(8));
    header.base = OffsetField{field_at, 8, value, value};
  }
  if ((flags & kDescriptionIndex) != 0) {
    SHUNT_ASSIGN(const std::uint64_t index, take(4));
    header.description = static_cast<std::uint32_t>(index);
  }
  if ((flags & kDefaultDuration) != 0) at += 4;
  if ((flags & kDefaultSize) != 0) {
    SHUNT_ASSIGN(const std::uint64_t size, take(4));
    header.sample_size = static_cast<std::uint32_t>(size);
  }
  return header;
}

bool FragmentScanner::lies_here(const Header& header) const {
  const auto track =
      std::ranges::lower_bound(moov_.external_tracks, header.track, {}, &ExternalTrack::id);
  if (track == moov_.external_tracks.end() || track->id != header.track) return true;
  const std::uint32_t index = header.description;
  return index == 0 || index > track->here.size() || track->here[index - 1];
}

// A truncated run is left to the player; its complete entries count.
Result<FragmentScanner::Run> FragmentScanner::read_run(const boxes::Box& trun,
                                                       const Header& header) const {
  Run run;
  const std::uint64_t payload = trun.payload().size();
  if (payload < 8) return run;
  SHUNT_ASSIGN(const boxes::VersionAndFlags word, boxes::read_version_and_flags(reader_, trun));
  SHUNT_ASSIGN(const auto count_field, boxes::view_payload(reader_, trun, 4, 4));
  const auto count = load_be<std::uint32_t>(count_field.data());
  std::uint64_t at = 8;
  if ((word.flags & kDataOffset) != 0) {
    SHUNT_ASSIGN(const auto field, boxes::view_payload(reader_, trun, at, 4));
    run.distance = static_cast<std::int32_t>(load_be<std::uint32_t>(field.data()));
    at += 4;
  }
  if ((word.flags & kFirstFlags) != 0) at += 4;
  if ((word.flags & kSampleSize) == 0) {
    run.size = std::uint64_t{count} * header.sample_size;
    return run;
  }
  if (at > payload) return run;
  const auto stride = 4 * static_cast<std::uint32_t>(std::popcount(word.flags & kOfEachSample));
  const std::uint64_t there = std::min<std::uint64_t>(count, (payload - at) / stride);
  const auto entries = ByteRange::of(trun.payload().begin + at, there * stride);
  SHUNT_ASSIGN(run.size, sum_sizes(entries, stride, (word.flags & kSampleDuration) != 0 ? 4 : 0));
  return run;
}

Result<std::uint64_t> FragmentScanner::sum_sizes(ByteRange entries, std::uint32_t stride,
                                                 std::uint32_t size_at) const {
  std::uint64_t sum = 0;
  const std::uint64_t batch = kRunBatch / stride * stride;
  while (!entries.empty()) {
    const auto size = static_cast<std::size_t>(std::min(batch, entries.size()));
    SHUNT_ASSIGN(const auto bytes, reader_.view(entries.begin, size));
    for (std::size_t i = size_at; i < size; i += stride) {
      sum += load_be<std::uint32_t>(bytes.data() + i);  // at most 2^32 samples
    }
    entries.begin += size;
  }
  return sum;
}

Result<void> FragmentScanner::check(const boxes::Box& traf, const Header& header, std::uint64_t at,
                                    const Run& run) {
  if (run.size == 0) return {};
  if (torn_ == Torn::kIgnore) {
    first_relative_ = std::min(first_relative_, at);
    return {};
  }
  const boxes::Zones::Zone zone = zones_.of(at);
  if (zones_.tears(at, run.size) || zone == boxes::Zones::kMoov) {
    return boxes::bad_box(traf, fmt::format("a run ({} bytes at byte {}) {}", run.size, at,
                                            zones_.why_torn(at, run.size)));
  }
  if (header.base) return {};
  // The moof would move, but these samples would not.
  if (zone == boxes::Zones::kBefore && zones_.of(traf.range.begin) != boxes::Zones::kBefore) {
    return boxes::bad_box(traf,
                          fmt::format("a run at byte {} lies in front of where moov goes", at));
  }
  first_relative_ = std::min(first_relative_, at);
  return {};
}

}  // namespace shunt::mp4
