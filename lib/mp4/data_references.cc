#include "shunt/mp4/data_references.h"

#include <algorithm>
#include <vector>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/limits.h"

namespace shunt::mp4 {
namespace {

constexpr std::uint32_t kSelfContained = 1;

// Returns true if a `url ` or `urn ` names no other file: its location is empty or missing. In a
// urn the location follows the name. An empty alias record names none either.
Result<bool> has_no_location(io::BufferedReader& reader, const boxes::Box& entry) {
  if (entry.type == boxes::BoxType("alis")) return entry.payload().size() <= 4;
  std::uint64_t at = entry.payload().begin + 4;
  const auto next_is_end = [&]() -> Result<bool> {
    if (at >= entry.range.end) return true;
    SHUNT_ASSIGN(const auto byte, reader.view(at, 1));
    return byte.front() == std::byte{0};
  };
  if (entry.type == boxes::BoxType("urn ")) {
    for (;; ++at) {
      SHUNT_ASSIGN(const bool end, next_is_end());
      if (end) break;
    }
    if (at < entry.range.end) ++at;
  } else if (entry.type != boxes::BoxType("url ")) {
    return false;
  }
  return next_is_end();
}

// Returns for each sample description whether its data lies in this file. An invalid reference
// index means this file, as in players.
Result<std::vector<bool>> read_descriptions(io::BufferedReader& reader, const boxes::Box& stsd,
                                            const std::vector<bool>& references) {
  std::vector<bool> here;
  SHUNT_ASSIGN(const auto head, boxes::view_payload(reader, stsd, 4, 4));
  const auto count = load_be<std::uint32_t>(head.data());
  std::uint64_t at = stsd.payload().begin + 8;
  for (std::uint32_t i = 0; i < count && here.size() < boxes::kMaxFilterRuns; ++i) {
    SHUNT_ASSIGN(const boxes::Box entry, boxes::read_box(reader, at, stsd.payload()));
    SHUNT_ASSIGN(const auto bytes, boxes::view_payload(reader, entry, 6, 2));
    const auto index = load_be<std::uint16_t>(bytes.data());
    here.push_back(index == 0 || index > references.size() || references[index - 1U]);
    at = entry.range.end;
  }
  return here;
}

Result<std::vector<boxes::ChunkFilter::Run>> read_runs(io::BufferedReader& reader,
                                                       const boxes::Box& stsc,
                                                       const std::vector<bool>& descriptions,
                                                       boxes::Budget& budget) {
  std::vector<boxes::ChunkFilter::Run> runs;
  SHUNT_ASSIGN(const auto head, boxes::view_payload(reader, stsc, 4, 4));
  const auto count = load_be<std::uint32_t>(head.data());
  std::uint32_t last_first = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    SHUNT_ASSIGN(const auto entry,
                 boxes::view_payload(reader, stsc, 8 + std::uint64_t{i} * 12, 12));
    const auto first = load_be<std::uint32_t>(entry.data());
    const auto description = load_be<std::uint32_t>(entry.data() + 8);
    if (first == 0 || first <= last_first) {
      return boxes::bad_box(stsc, "its chunk numbers do not ascend");
    }
    last_first = first;
    const bool here =
        description == 0 || description > descriptions.size() || descriptions[description - 1U];
    if (!runs.empty() && runs.back().here == here) continue;
    if (runs.size() == boxes::kMaxFilterRuns || !budget.take(boxes::Budget::kFilterRun)) {
      return boxes::bad_box(stsc, "it changes between own and external data too often");
    }
    runs.push_back({first - 1, here});
  }
  return runs;
}

}  // namespace

// References into an imda box (imdt, snim) are relative to that box and never move.
Result<std::vector<bool>> read_references(io::BufferedReader& reader, const boxes::Box& dref) {
  std::vector<bool> here;
  SHUNT_ASSIGN(const auto head, boxes::view_payload(reader, dref, 4, 4));
  const auto count = load_be<std::uint32_t>(head.data());
  std::uint64_t at = dref.payload().begin + 8;
  for (std::uint32_t i = 0; i < count && here.size() < boxes::kMaxFilterRuns; ++i) {
    SHUNT_ASSIGN(const boxes::Box entry, boxes::read_box(reader, at, dref.payload()));
    SHUNT_ASSIGN(const boxes::VersionAndFlags word, boxes::read_version_and_flags(reader, entry));
    const bool absolute = entry.type != boxes::BoxType("rsrc") &&
                          entry.type != boxes::BoxType("imdt") &&
                          entry.type != boxes::BoxType("snim");
    bool own = (word.flags & kSelfContained) != 0;
    if (absolute && !own) {
      SHUNT_ASSIGN(own, has_no_location(reader, entry));
    }
    here.push_back(absolute && own);
    at = entry.range.end;
  }
  return here;
}

Result<TrackPlace> find_place(io::BufferedReader& reader, const TrackReferences& track,
                              boxes::Budget& budget) {
  TrackPlace place;
  if (!track.dref) return place;
  SHUNT_ASSIGN(const std::vector<bool> references, read_references(reader, *track.dref));
  if (std::ranges::all_of(references, [](bool here) { return here; })) return place;
  place.descriptions = {references.front()};
  if (track.stsd) {
    SHUNT_ASSIGN(place.descriptions, read_descriptions(reader, *track.stsd, references));
  }
  if (!budget.take(boxes::Budget::kTrack + place.descriptions.size() / 4)) {
    return boxes::bad_box(*track.dref, boxes::kBeyondBudget);
  }
  std::vector<boxes::ChunkFilter::Run> runs;
  if (track.stsc) {
    SHUNT_ASSIGN(runs, read_runs(reader, *track.stsc, place.descriptions, budget));
  } else if (!place.descriptions.empty()) {
    runs = {{0, place.descriptions.front()}};
  }
  if (!std::ranges::all_of(runs, [](const boxes::ChunkFilter::Run& run) { return run.here; })) {
    place.chunks = std::make_shared<const boxes::ChunkFilter>(std::move(runs));
  }
  return place;
}

}  // namespace shunt::mp4
