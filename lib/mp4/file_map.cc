#include "shunt/mp4/file_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "shunt/base/big_endian.h"
#include "shunt/boxes/limits.h"

namespace shunt::mp4 {
namespace {

bool is_one_of(boxes::BoxType type, std::initializer_list<boxes::BoxType> types) {
  return std::ranges::find(types, type) != types.end();
}

bool holds_media(boxes::BoxType type) {
  return is_one_of(type, {boxes::BoxType("mdat"), boxes::BoxType("imda")});
}

// Boxes that belong to the following fragment: moov must not come between (8.16.3: offsets in a
// sidx count from the first byte after it).
bool leads_media(boxes::BoxType type) {
  return is_one_of(type, {boxes::BoxType("moof"), boxes::BoxType("sidx"), boxes::BoxType("ssix"),
                          boxes::BoxType("styp"), boxes::BoxType("prft"), boxes::BoxType("emsg")});
}

// Box types whose own content is never samples in a valid file.
bool holds_other_things(boxes::BoxType type) {
  return leads_media(type) ||
         is_one_of(type, {boxes::BoxType("free"), boxes::BoxType("skip"), boxes::BoxType("wide"),
                          boxes::BoxType("uuid"), boxes::BoxType("udta"), boxes::BoxType("meta"),
                          boxes::BoxType("meco"), boxes::BoxType("pdin"), boxes::BoxType("pnot"),
                          boxes::BoxType("PICT"), boxes::BoxType("mfra"), boxes::BoxType("sefd")});
}

bool may_hold_offsets(boxes::BoxType type) {
  return is_one_of(type, {boxes::BoxType("meta"), boxes::BoxType("meco"), boxes::BoxType("moof"),
                          boxes::BoxType("mfra"), boxes::BoxType("uuid")});
}

Error not_media(const io::Source& source, std::uint64_t at) {
  Error error = corrupt(
      at == 0 ? "not an MP4 or QuickTime file" : "no box begins here, and no moov was found", at);
  error.path = source.name();
  return error;
}

class Mapper {
 public:
  Mapper(const io::Source& source, MapUpTo up_to)
      : source_(source), reader_(source), up_to_(up_to) {
    map_.size = source.size();
  }

  Result<FileMap> run() {
    std::uint64_t at = 0;
    for (std::size_t boxes = 0; at < map_.size; ++boxes) {
      if (boxes == boxes::kMaxTopLevelBoxes) return corrupt("too many boxes at the top level", at);
      const Result<std::optional<boxes::Box>> box = next(at);
      if (!box) return box.error().with_path(source_.name());
      if (!*box) break;  // the rest is not a box
      if (Result<void> added = add(**box); !added) return added.error().with_path(source_.name());
      if (map_.moov_in_front && up_to_ == MapUpTo::kMoovInFront) break;
      at = (*box)->range.end;
    }
    if (!moov_) {
      if (first_odd_) return not_media(source_, *first_odd_);
      Error error = corrupt(media_ ? "it has no moov box" : "it has neither moov nor mdat");
      error.path = source_.name();
      return error;
    }
    finish();
    return std::move(map_);
  }

 private:
  // Returns nullopt if there is no box and none is needed any more. Any four bytes can be a type:
  // boxes are distinguished from noise by sizes that lead to moov.
  Result<std::optional<boxes::Box>> next(std::uint64_t at) {
    Result<boxes::Box> box = boxes::read_box(reader_, at, {0, map_.size});
    if (box) {
      if (!moov_ && !first_odd_ && !box->type.plausible()) first_odd_ = at;
      return std::optional(*box);
    }
    if (box.error().code != ErrorCode::kCorrupt) return box.error();
    // Anything may follow moov: a camera's trailer, a truncated last box.
    if (moov_) return std::optional<boxes::Box>();
    if (first_odd_) return not_media(source_, *first_odd_);
    if (at == 0 || map_.size - at < 8) return not_media(source_, at);
    // A box that is too large, or smaller than its header: report which one.
    SHUNT_ASSIGN(const auto header, reader_.view(at, 8));
    if (!boxes::BoxType(load_be<std::uint32_t>(header.data() + 4)).plausible()) {
      return not_media(source_, at);
    }
    return box.error().with_hint("the file seems to be cut short");
  }

  Result<void> add(const boxes::Box& box) {
    if (box.type == boxes::BoxType("moov")) {
      if (moov_) return boxes::bad_box(box, "a second moov; it is unclear which one counts");
      moov_ = box;
      map_.moov_in_front = !media_;
      map_.moov = box;
      return {};
    }
    if (box.type == boxes::BoxType("afra")) {
      return boxes::bad_box(box, "Adobe's fragment index cannot be moved safely");
    }
    if (box.type == boxes::BoxType("ftyp") && !first_media_ && !ftyp_end_) {
      ftyp_end_ = box.range.end;
      map_.ftyp_at = box.range.begin;
    }
    // Samples of a fragment need not lie in an mdat.
    if (holds_media(box.type) || box.type == boxes::BoxType("moof")) media_ = true;
    if (!moov_ && box.type != boxes::BoxType("ftyp") && !box.payload().empty()) {
      map_.filled_in_front = true;
      if (!holds_other_things(box.type)) map_.unknown_in_front = true;
    }
    if (holds_media(box.type) || leads_media(box.type)) {
      if (!first_media_) first_media_ = box.range.begin;
    } else if (is_one_of(box.type, {boxes::BoxType("free"), boxes::BoxType("skip")}) &&
               !first_media_) {
      map_.free_in_front.push_back(box);
      if (map_.free_in_front.size() > boxes::kMaxFilterRuns) {
        return corrupt("too many free boxes at the top level", box.range.begin);
      }
    }
    if (leads_media(box.type)) fragments_ = true;
    const bool is_meta = is_one_of(box.type, {boxes::BoxType("meta"), boxes::BoxType("meco")});
    if (is_meta && ++metas_ > boxes::kMaxMetas) return boxes::bad_box(box, "too many of these");
    if (may_hold_offsets(box.type)) map_.with_offsets.push_back(box.range.begin);
    return {};
  }

  void finish() {
    map_.insert_at = ftyp_end_.value_or(0);
    map_.first_media = first_media_.value_or(map_.moov.range.begin);
    std::erase_if(map_.free_in_front,
                  [&](const boxes::Box& box) { return box.range.begin < map_.insert_at; });
    map_.has_fragments = fragments_;
    map_.distances_cross_moov = fragments_ && !map_.moov_is_last();
  }

  const io::Source& source_;
  io::BufferedReader reader_;
  MapUpTo up_to_;
  FileMap map_;
  std::optional<boxes::Box> moov_;
  std::optional<std::uint64_t> first_odd_;  // of a type that looks accidental
  std::optional<std::uint64_t> ftyp_end_;
  std::optional<std::uint64_t> first_media_;
  std::size_t metas_ = 0;
  bool media_ = false;
  bool fragments_ = false;
};

}  // namespace

Result<boxes::Budget> FileMap::budget() const {
  boxes::Budget budget;
  if (budget.take(boxes::Budget::kTopLevelBox, with_offsets.size()) &&
      budget.take(boxes::Budget::kFreeBox, free_in_front.size())) {
    return budget;
  }
  return boxes::bad_box(moov, boxes::kBeyondBudget);
}

Result<FileMap> map_file(const io::Source& source, MapUpTo up_to) {
  return Mapper(source, up_to).run();
}

FrontBox classify_front(boxes::BoxType type) {
  if (type == boxes::BoxType("moov")) return FrontBox::kMoov;
  const bool media = holds_media(type) || type == boxes::BoxType("moof");
  return media ? FrontBox::kMedia : FrontBox::kOther;
}

}  // namespace shunt::mp4
