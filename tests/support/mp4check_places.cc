#include "support/mp4check_places.h"

#include <algorithm>
#include <iterator>

namespace shunt::test::check {
namespace {

bool is_media(const Box& box) {
  return box.is("mdat") || box.is("imda");
}
bool is_free(const Box& box) {
  return box.is("free") || box.is("skip");
}
bool leads_media(const Box& box) {
  return is_media(box) || box.is("moof") || box.is("sidx") || box.is("styp");
}

std::string described(const Box& box) {
  return "'" + box.type + "' at byte " + std::to_string(box.begin);
}

// A file-level meta may have grown for wider item locations.
bool alike(const Box& a, const Box& b) {
  return a.type == b.type && (a.size() == b.size() || a.is("meta") || a.is("meco"));
}

void check_front(const BoxList& before, const BoxList& after) {
  if (!moov_in_front(after)) throw Mismatch("moov does not stand in front of the media");
  const auto first_media = std::find_if(before.boxes.begin(), before.boxes.end(), leads_media);
  const bool ftyp_led =
      std::any_of(before.boxes.begin(), first_media, [](const Box& box) { return box.is("ftyp"); });
  if (!ftyp_led) return;
  for (const Box& box : after.boxes) {
    if (box.is("ftyp")) return;
    if (box.is("moov")) throw Mismatch("moov stands in front of ftyp");
  }
}

class SideBySide {
 public:
  SideBySide(const Bytes& before, const Bytes& after)
      : before_(before),
        after_(after),
        old_(boxes_in(before, 0, before.size())),
        new_(boxes_in(after, 0, after.size())) {}

  Places run() {
    check_front(old_, new_);
    for (const Box& box : new_.boxes) step(box);
    while (next_ < old_.boxes.size() && leave_out(old_.boxes[next_])) ++next_;
    if (next_ < old_.boxes.size()) throw Mismatch(described(old_.boxes[next_]) + " is missing");
    check_used_up();
    check_raw();
    return std::move(places_);
  }

 private:
  // Finds the place of the next box of the result.
  void step(const Box& box) {
    if (box.is("moov")) {
      if (!places_.new_moov.type.empty()) throw Mismatch("two moovs in the result");
      places_.new_moov = box;
      inserted_before_ = true;
      return;
    }
    for (; next_ < old_.boxes.size(); ++next_) {
      const Box& old = old_.boxes[next_];
      if (old.is("moov") && box.is("free") && box.size() == old.size()) {
        places_.old_moov = old;
        ++next_;
        return;
      }
      if (alike(old, box) && !(old.is("free") && differs(old, box))) {
        if (box.is("moof") && inserted_before_ && !places_.pairs.empty() &&
            places_.pairs.back().old_box.is("sidx")) {
          throw Mismatch("something stands between sidx and moof");
        }
        places_.pairs.push_back({old, box});
        inserted_before_ = false;
        ++next_;
        return;
      }
      if (box.is("free") && !is_followed_by(box)) break;  // inserted
      if (!leave_out(old)) {
        throw Mismatch("after " + described(box) + " where " + described(old) + " was before");
      }
    }
    if (!box.is("free")) {
      if (next_ >= old_.boxes.size()) throw Mismatch(described(box) + " was not there before");
      return;
    }
    inserted_before_ = true;
  }

  // Returns true if the old moov is the next box and is gone, and `box` came after it.
  [[nodiscard]] bool is_followed_by(const Box& box) const {
    if (!old_.boxes[next_].is("moov") || next_ + 1 == old_.boxes.size()) return false;
    const Box& behind = old_.boxes[next_ + 1];
    return alike(behind, box) && !differs(behind, box);
  }

  [[nodiscard]] bool differs(const Box& old, const Box& box) const {
    return first_difference(before_, old.begin, after_, box.begin, old.size()) != old.size();
  }

  // Skips boxes of the original that the result may lack.
  bool leave_out(const Box& old) {
    if (old.is("moov")) {
      if (!places_.old_moov.type.empty()) throw Mismatch("two moovs in the original");
      places_.old_moov = old;
      return true;
    }
    const auto first_media = std::find_if(old_.boxes.begin(), old_.boxes.end(), leads_media);
    if (!is_free(old) || first_media == old_.boxes.end() || old.begin >= first_media->begin) {
      return false;
    }
    if (!places_.used_up.empty() && places_.used_up.back().end != old.begin) return false;
    places_.used_up.push_back(old);
    return true;
  }

  // Existing room may only be used if nothing else moves, unless moov was already in front and gets
  // more room.
  void check_used_up() const {
    if (places_.used_up.empty() || moov_in_front(old_)) return;
    for (const Pair& pair : places_.pairs) {
      if (pair.old_box.begin != pair.new_box.begin) {
        throw Mismatch("free boxes are gone although " + described(pair.old_box) + " has moved");
      }
    }
  }

  void check_raw() {
    places_.old_raw_at = old_.end;
    places_.new_raw_at = new_.end;
    places_.raw_size = before_.size() - old_.end;
    if (after_.size() - new_.end != places_.raw_size) {
      throw Mismatch("the bytes behind the last box were " + std::to_string(places_.raw_size) +
                     ", now they are " + std::to_string(after_.size() - new_.end));
    }
    if (first_difference(before_, old_.end, after_, new_.end, places_.raw_size) !=
        places_.raw_size) {
      throw Mismatch("the bytes behind the last box have changed");
    }
  }

  const Bytes& before_;
  const Bytes& after_;
  BoxList old_;
  BoxList new_;
  std::size_t next_ = 0;
  bool inserted_before_ = false;
  Places places_;
};

}  // namespace

bool moov_in_front(const BoxList& list) {
  for (const Box& box : list.boxes) {
    if (box.is("moov")) return true;
    if (is_media(box)) return false;
  }
  return false;
}

Places lay_side_by_side(const Bytes& before, const Bytes& after) {
  return SideBySide(before, after).run();
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> Places::moved(
    std::uint64_t old_address) const {
  const auto behind = std::upper_bound(
      pairs.begin(), pairs.end(), old_address,
      [](std::uint64_t address, const Pair& pair) { return address < pair.old_box.begin; });
  if (behind != pairs.begin()) {
    const Pair& pair = *std::prev(behind);
    if (old_address < pair.old_box.end) {
      return std::pair(pair.new_box.begin + (old_address - pair.old_box.begin),
                       pair.old_box.end - old_address);
    }
  }
  if (old_address >= old_raw_at && old_address - old_raw_at < raw_size) {
    return std::pair(new_raw_at + (old_address - old_raw_at),
                     raw_size - (old_address - old_raw_at));
  }
  return std::nullopt;
}

}  // namespace shunt::test::check
