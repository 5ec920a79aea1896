#include "support/mp4check_offsets.h"

#include <algorithm>
#include <array>
#include <vector>

namespace shunt::test::check {
namespace {

constexpr unsigned kMaxDepth = 16;
constexpr std::uint64_t kLooked = 64 << 10;  // bytes compared behind an offset
constexpr std::uint64_t kAllUpTo = 4096;     // chunks of a table; of longer ones every n-th
constexpr std::string_view kCanon = "\x85\xc0\xb6\x87";
constexpr std::string_view kC2pa = "\xd8\xfe\xc3\xd6";

bool holds_boxes(const Box& box) {
  static constexpr std::array kNames = {"moov", "trak", "mdia", "minf", "stbl",
                                        "meco", "moof", "traf", "mfra", "mvex"};
  return std::any_of(kNames.begin(), kNames.end(), [&](const char* name) { return box.is(name); });
}

bool begins_with(const Bytes& bytes, const Box& box, std::string_view magic) {
  if (box.end - box.payload < 16) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (bytes.number(box.payload + i, 1) != static_cast<unsigned char>(magic[i])) return false;
  }
  return true;
}

std::string at_byte(std::uint64_t at) {
  return std::to_string(at);
}

// meta is a plain box in QuickTime and a full box in ISO files.
std::uint64_t meta_head(const Bytes& bytes, const Box& meta) {
  if (meta.end - meta.payload < 8) return 0;
  return bytes.number(meta.payload + 4, 4) == 0x68646c72 /* hdlr */ ? 0 : 4;
}

// Returns true if a reference names no other file: a url without text, or a urn without text after
// its name.
bool unnamed(const Bytes& bytes, const Box& entry) {
  std::uint64_t at = entry.payload + 4;
  if (entry.is("urn ")) {
    while (at < entry.end && bytes.number(at, 1) != 0) ++at;
    ++at;
  } else if (!entry.is("url ")) {
    return false;
  }
  return at >= entry.end || bytes.number(at, 1) == 0;
}

// Iterates over a track's chunks: whether they lie in this file, their samples and bytes.
class ChunkWalk {
 public:
  ChunkWalk(const Bytes& bytes, const Box& trak) : runs_(bytes), sizes_(bytes) {
    const Box stbl = find_box(bytes, trak, {"mdia", "minf", "stbl"});
    read_here(bytes, find_box(bytes, trak, {"mdia", "minf", "dinf", "dref"}),
              find_box(bytes, stbl, {"stsd"}));
    stsc_ = find_box(bytes, stbl, {"stsc"});
    if (!stsc_.type.empty() && stsc_.end - stsc_.payload >= 8) {
      run_count_ =
          std::min(bytes.number(stsc_.payload + 4, 4), (stsc_.end - stsc_.payload - 8) / 12);
    }
    stsz_ = find_box(bytes, stbl, {"stsz"});
    if (!stsz_.type.empty() && stsz_.end - stsz_.payload >= 12) {
      sized_ = true;
      fixed_ = bytes.number(stsz_.payload + 4, 4);
      samples_left_ = bytes.number(stsz_.payload + 8, 4);
      if (fixed_ == 0) {
        samples_left_ = std::min(samples_left_, (stsz_.end - stsz_.payload - 12) / 4);
      }
    }
  }

  // Goes to the next chunk.
  void next() {
    ++chunk_;
    while (run_ < run_count_ && runs_.number(stsc_.payload + 8 + run_ * 12, 4) <= chunk_) {
      samples_ = runs_.number(stsc_.payload + 12 + run_ * 12, 4);
      description_ = runs_.number(stsc_.payload + 16 + run_ * 12, 4);
      ++run_;
    }
    size_ = sized_ ? 0 : 64;
    const std::uint64_t count = std::min(samples_, samples_left_);
    samples_left_ -= count;
    if (fixed_ != 0) {
      size_ = count * fixed_;
    } else if (sized_) {
      for (std::uint64_t i = 0; i < count; ++i) size_ += sizes_.number(sample_at(sample_++), 4);
    }
  }
  [[nodiscard]] bool here() const {
    return description_ == 0 || description_ > here_.size() || here_[description_ - 1];
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  [[nodiscard]] std::uint64_t sample_at(std::uint64_t sample) const {
    return stsz_.payload + 12 + sample * 4;
  }

  // Reads for each sample description whether its data reference is this file.
  void read_here(const Bytes& bytes, const Box& dref, const Box& stsd) {
    std::vector<bool> references;
    if (!dref.type.empty() && dref.end - dref.payload >= 8) {
      for (const Box& entry : boxes_in(bytes, dref.payload + 8, dref.end).boxes) {
        const bool elsewhere = entry.is("rsrc") || entry.is("imdt") || entry.is("snim");
        references.push_back(!elsewhere && entry.end - entry.payload >= 4 &&
                             ((bytes.number(entry.payload, 4) & 1) != 0 || unnamed(bytes, entry)));
      }
    }
    if (stsd.type.empty() || stsd.end - stsd.payload < 8) return;
    for (const Box& entry : boxes_in(bytes, stsd.payload + 8, stsd.end).boxes) {
      const std::uint64_t index =
          entry.end - entry.payload >= 8 ? bytes.number(entry.payload + 6, 2) : 0;
      here_.push_back(index == 0 || index > references.size() || references[index - 1]);
    }
  }

  std::vector<bool> here_;
  Box stsc_;
  Box stsz_;
  Window runs_;
  Window sizes_;
  std::uint64_t run_count_ = 0;
  std::uint64_t run_ = 0;
  std::uint64_t chunk_ = 0;  // from 1
  std::uint64_t samples_ = 0;
  std::uint64_t description_ = 1;
  bool sized_ = false;
  std::uint64_t fixed_ = 0;
  std::uint64_t samples_left_ = 0;
  std::uint64_t sample_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace

Offsets::Two Offsets::Two::child(std::initializer_list<std::string_view> path) const {
  return {old_bytes, find_box(old_bytes, old_box, path), new_bytes,
          find_box(new_bytes, new_box, path)};
}

void Offsets::follow(const std::string& what, std::uint64_t old_address, std::uint64_t new_address,
                     std::uint64_t length) {
  ++counts_[what];
  const std::string where =
      what + ": byte " + at_byte(old_address) + " became " + at_byte(new_address);
  const Box& old_moov = places_.old_moov;
  if (const auto place = places_.moved(old_address)) {
    if (place->first != new_address) {
      throw Mismatch(where + ", the bytes are at " + at_byte(place->first));
    }
    length = std::min(length, place->second);
  } else if (old_address >= old_moov.begin && old_address < old_moov.end) {
    const Box& moov = places_.new_moov;
    if (new_address < moov.begin || new_address >= moov.end) {
      throw Mismatch(where + ", which is not in moov");
    }
    length = std::min({length, old_moov.end - old_address, moov.end - new_address});
  } else {
    for (const Box& box : places_.used_up) {
      if (length > 0 && old_address >= box.begin && old_address < box.end) {
        throw Mismatch(where + ", out of a free box whose room moov took");
      }
    }
    return;  // outside the file, before and after
  }
  length = std::min(length, kLooked);
  const std::uint64_t same = first_difference(before_, old_address, after_, new_address, length);
  if (same != length) throw Mismatch(where + ": other bytes, from number " + at_byte(same) + " on");
}

void Offsets::same_except(const Two& two, std::uint64_t skip, std::uint64_t width) const {
  const std::uint64_t size = two.old_box.end - two.old_box.payload;
  const auto differing = [&](std::uint64_t from, std::uint64_t to) {
    return from < to && first_difference(two.old_bytes, two.old_box.payload + from, two.new_bytes,
                                         two.new_box.payload + from, to - from) != to - from;
  };
  if (size != two.new_box.end - two.new_box.payload || differing(0, std::min(skip, size)) ||
      differing(std::min(skip + width, size), size)) {
    throw Mismatch("'" + two.old_box.type + "' at byte " + at_byte(two.old_box.begin) +
                   " has other content at " + at_byte(two.new_box.begin));
  }
}

void Offsets::compare_leaf(const Two& two) const {
  same_except(two, 0, 0);
}

void Offsets::compare_children(const Two& two, std::uint64_t skip, unsigned depth) {
  const Two& t = two;
  const BoxList before = boxes_in(t.old_bytes, t.old_box.payload + skip, t.old_box.end);
  const BoxList after = boxes_in(t.new_bytes, t.new_box.payload + skip, t.new_box.end);
  const std::uint64_t rest = t.old_box.end - before.end;
  if (before.boxes.size() != after.boxes.size() || rest != t.new_box.end - after.end ||
      first_difference(t.old_bytes, before.end, t.new_bytes, after.end, rest) != rest ||
      first_difference(t.old_bytes, t.old_box.payload, t.new_bytes, t.new_box.payload, skip) !=
          skip) {
    throw Mismatch("'" + t.old_box.type + "' at byte " + at_byte(t.old_box.begin) +
                   " holds other boxes at " + at_byte(t.new_box.begin));
  }
  for (std::size_t i = 0; i < before.boxes.size(); ++i) {
    const Box& old_box = before.boxes[i];
    if (old_box.is("traf") && t.old_box.is("moof")) {
      compare_traf({t.old_bytes, old_box, t.new_bytes, after.boxes[i]}, t.old_box.begin,
                   t.new_box.begin);
      continue;
    }
    compare(t.old_bytes, old_box, t.new_bytes, after.boxes[i], depth + 1);
  }
}

void Offsets::compare(const Bytes& old_bytes, const Box& old_box, const Bytes& new_bytes,
                      const Box& new_box, unsigned depth) {
  const Two two{old_bytes, old_box, new_bytes, new_box};
  const bool widened = old_box.is("stco") && new_box.is("co64");
  if (old_box.type != new_box.type && !widened) {
    throw Mismatch("'" + old_box.type + "' became '" + new_box.type + "'");
  }
  if (depth > kMaxDepth) return compare_leaf(two);
  if (old_box.is("stco") || old_box.is("co64")) return;  // with its trak
  if (old_box.is("meta")) {
    const std::uint64_t head = meta_head(old_bytes, old_box);
    if (head != meta_head(new_bytes, new_box)) throw Mismatch("another kind of 'meta'");
    return compare_children(two, head, depth);
  }
  if (old_box.is("saio")) return compare_saio(two, 0, 0);
  if (old_box.is("iloc")) return compare_iloc(two);
  if (old_box.is("gps ")) return compare_gps(two);
  if (old_box.is("CTBO")) return compare_ctbo(two);
  if (old_box.is("tfra")) return compare_tfra(two);
  if (old_box.is("sidx")) return compare_sidx(two);
  if (old_box.is("uuid") && begins_with(old_bytes, old_box, kCanon)) {
    return compare_children(two, 16, depth);
  }
  if (old_box.is("uuid") && begins_with(old_bytes, old_box, kC2pa)) return compare_c2pa(two);
  if (!holds_boxes(old_box)) return compare_leaf(two);
  compare_children(two, 0, depth);
  if (old_box.is("trak")) compare_chunks(two);
}

void Offsets::compare_chunks(const Two& trak) {
  const auto table = [](const Bytes& bytes, const Box& in, unsigned& width) {
    Box box = find_box(bytes, in, {"mdia", "minf", "stbl", "stco"});
    width = box.type.empty() ? 8 : 4;
    if (box.type.empty()) box = find_box(bytes, in, {"mdia", "minf", "stbl", "co64"});
    return box;
  };
  unsigned old_width = 0;
  unsigned new_width = 0;
  const Box before = table(trak.old_bytes, trak.old_box, old_width);
  const Box after = table(trak.new_bytes, trak.new_box, new_width);
  if (before.type.empty()) return;
  const std::uint64_t count = trak.old_bytes.number(before.payload + 4, 4);
  if (trak.new_bytes.number(after.payload, 4) != trak.old_bytes.number(before.payload, 4) ||
      trak.new_bytes.number(after.payload + 4, 4) != count ||
      (before.end - before.payload - 8) / old_width < count ||
      (after.end - after.payload - 8) / new_width < count) {
    throw Mismatch("a chunk table has another head or length");
  }
  ChunkWalk walk(trak.old_bytes, trak.old_box);
  Window old_table(trak.old_bytes);
  Window new_table(trak.new_bytes);
  const std::uint64_t every = count / kAllUpTo + 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t old_address =
        old_table.number(before.payload + 8 + i * old_width, old_width);
    const std::uint64_t new_address =
        new_table.number(after.payload + 8 + i * new_width, new_width);
    walk.next();
    if (!walk.here()) {
      external_ = true;
      ++counts_["external chunk"];
      if (old_address != new_address) {
        throw Mismatch("external chunk " + at_byte(i + 1) + ": byte " + at_byte(old_address) +
                       " became " + at_byte(new_address));
      }
    } else if (walk.size() > 0) {
      follow("chunk", old_address, new_address, i % every == 0 ? walk.size() : 0);
    }
  }
}

void Offsets::compare_saio(const Two& saio, std::uint64_t old_base, std::uint64_t new_base) {
  struct Table {
    std::uint64_t at = 0;
    std::uint64_t count = 0;
    unsigned width = 0;
    std::uint64_t kind = 0;  // flags and type of the information
  };
  const auto table = [](const Bytes& bytes, const Box& box) {
    const std::uint64_t word = bytes.number(box.payload, 4);
    const std::uint64_t at = box.payload + 4 + ((word & 1) != 0 ? 8 : 0);
    const std::uint64_t kind = (word & 1) != 0 ? bytes.number(box.payload + 4, 8) : 0;
    return Table{at + 4, bytes.number(at, 4), word >> 24U == 0 ? 4U : 8U,
                 kind ^ (word & 0xffffffU)};
  };
  const Table before = table(saio.old_bytes, saio.old_box);
  const Table after = table(saio.new_bytes, saio.new_box);
  if (before.count != after.count || before.kind != after.kind) {
    throw Mismatch("saio has another head or length");
  }
  Window old_table(saio.old_bytes);
  Window new_table(saio.new_bytes);
  for (std::uint64_t i = 0; i < before.count; ++i) {
    follow("saio", old_base + old_table.number(before.at + i * before.width, before.width),
           new_base + new_table.number(after.at + i * after.width, after.width), 8);
  }
}

void Offsets::compare_iloc(const Two& iloc) {
  // Reads both boxes in parallel; everything except widths and addresses must be equal.
  struct Reader {
    Window window;
    std::uint64_t at;
    std::uint64_t take(unsigned width) {
      const std::uint64_t value = width == 0 ? 0 : window.number(at, width);
      at += width;
      return value;
    }
  };
  Reader a{Window(iloc.old_bytes), iloc.old_box.payload};
  Reader b{Window(iloc.new_bytes), iloc.new_box.payload};
  const auto same = [&](unsigned width) {
    const std::uint64_t value = a.take(width);
    if (b.take(width) != value) throw Mismatch("iloc has changed in more than its addresses");
    return value;
  };
  const auto version = static_cast<unsigned>(same(4) >> 24U);
  struct Widths {
    unsigned offset, length, base, index;
  };
  const auto widths = [&](Reader& from) {
    const auto bits = static_cast<unsigned>(from.take(2));
    return Widths{bits >> 12U, bits >> 8U & 15U, bits >> 4U & 15U, version == 0 ? 0 : bits & 15U};
  };
  const Widths old_widths = widths(a);
  const Widths new_widths = widths(b);
  if (old_widths.length != new_widths.length || old_widths.index != new_widths.index) {
    throw Mismatch("iloc has other widths for lengths or indices");
  }
  const std::uint64_t items = same(version == 2 ? 4 : 2);
  for (std::uint64_t i = 0; i < items; ++i) {
    same(version == 2 ? 4 : 2);
    const std::uint64_t method = version == 0 ? 0 : same(2) & 15U;
    const std::uint64_t reference = same(2);
    const std::uint64_t old_base = a.take(old_widths.base);
    const std::uint64_t new_base = b.take(new_widths.base);
    const std::uint64_t extents = same(2);
    for (std::uint64_t e = 0; e < extents; ++e) {
      same(old_widths.index);
      const std::uint64_t old_address = old_base + a.take(old_widths.offset);
      const std::uint64_t new_address = new_base + b.take(new_widths.offset);
      const std::uint64_t length = same(old_widths.length);
      if (method == 0 && reference == 0) {
        follow("item", old_address, new_address, length);
      } else if (old_address != new_address) {
        throw Mismatch("an item that is not at an absolute position has changed");
      }
    }
  }
}

void Offsets::compare_gps(const Two& gps) {
  const std::uint64_t size = gps.old_box.end - gps.old_box.payload;
  same_except(gps, 8, size - std::min<std::uint64_t>(size, 8));
  for (std::uint64_t at = 8; at + 8 <= size; at += 8) {
    const std::uint64_t old_address = gps.old_bytes.number(gps.old_box.payload + at, 4);
    const std::uint64_t new_address = gps.new_bytes.number(gps.new_box.payload + at, 4);
    const std::uint64_t length = gps.old_bytes.number(gps.old_box.payload + at + 4, 4);
    if (length != gps.new_bytes.number(gps.new_box.payload + at + 4, 4) ||
        (old_address == 0 && new_address != 0)) {
      throw Mismatch("an entry of 'gps ' has changed");
    }
    if (old_address != 0) follow("gps block", old_address, new_address, length);
  }
}

void Offsets::compare_ctbo(const Two& ctbo) {
  const std::uint64_t size = ctbo.old_box.end - ctbo.old_box.payload;
  same_except(ctbo, 4, size - std::min<std::uint64_t>(size, 4));
  for (std::uint64_t at = 4; at + 20 <= size; at += 20) {
    const std::uint64_t old_at = ctbo.old_box.payload + at;
    const std::uint64_t new_at = ctbo.new_box.payload + at;
    const std::uint64_t length = ctbo.old_bytes.number(old_at + 12, 8);
    const std::uint64_t old_address = ctbo.old_bytes.number(old_at + 4, 8);
    const std::uint64_t new_address = ctbo.new_bytes.number(new_at + 4, 8);
    if (length != ctbo.new_bytes.number(new_at + 12, 8) ||
        ctbo.old_bytes.number(old_at, 4) != ctbo.new_bytes.number(new_at, 4) ||
        (length == 0 && old_address != new_address)) {
      throw Mismatch("an entry of CTBO has changed");
    }
    if (length > 0) follow("CTBO", old_address, new_address, length);
  }
}

void Offsets::compare_c2pa(const Two& uuid) {
  // uuid, version and flags, a purpose ending in NUL, the offset of the first Merkle box.
  const std::uint64_t end = uuid.old_box.end - uuid.old_box.payload;
  std::uint64_t at = 20;
  while (at < end && uuid.old_bytes.number(uuid.old_box.payload + at, 1) != 0) ++at;
  const bool manifest =
      end >= 24 && uuid.old_bytes.number(uuid.old_box.payload + 20, 4) == 0x6d616e69;  // mani
  if (!manifest || at + 9 > end) return compare_leaf(uuid);
  same_except(uuid, at + 1, 8);
  const std::uint64_t old_address = uuid.old_bytes.number(uuid.old_box.payload + at + 1, 8);
  const std::uint64_t new_address = uuid.new_bytes.number(uuid.new_box.payload + at + 1, 8);
  if (old_address == 0 && new_address != 0) throw Mismatch("merkle_offset is no longer 0");
  if (old_address != 0) follow("Merkle box", old_address, new_address, 64);
}

void Offsets::compare_traf(const Two& traf, std::uint64_t old_moof, std::uint64_t new_moof) {
  const Two tfhd = traf.child({"tfhd"});
  if (tfhd.old_box.type.empty()) return compare_children(traf, 0, kMaxDepth - 1);
  const std::uint64_t flags = tfhd.old_bytes.number(tfhd.old_box.payload, 4);
  const bool explicit_base = (flags & 1) != 0;
  std::uint64_t old_base = old_moof;
  std::uint64_t new_base = new_moof;
  same_except(tfhd, 8, explicit_base ? 8 : 0);
  if (explicit_base) {
    old_base = tfhd.old_bytes.number(tfhd.old_box.payload + 8, 8);
    new_base = tfhd.new_bytes.number(tfhd.new_box.payload + 8, 8);
  }
  const BoxList before = boxes_in(traf.old_bytes, traf.old_box.payload, traf.old_box.end);
  const BoxList after = boxes_in(traf.new_bytes, traf.new_box.payload, traf.new_box.end);
  if (before.boxes.size() != after.boxes.size()) throw Mismatch("traf holds other boxes");
  bool led = false;
  for (std::size_t i = 0; i < before.boxes.size(); ++i) {
    const Two child{traf.old_bytes, before.boxes[i], traf.new_bytes, after.boxes[i]};
    if (child.old_box.is("tfhd")) continue;
    if (child.old_box.is("saio")) {
      compare_saio(child, old_base, new_base);
      continue;
    }
    compare_leaf(child);
    if (!child.old_box.is("trun") || (traf.old_bytes.number(child.old_box.payload, 4) & 1) == 0) {
      continue;
    }
    const auto distance = static_cast<std::uint64_t>(static_cast<std::int64_t>(
        static_cast<std::int32_t>(traf.old_bytes.number(child.old_box.payload + 8, 4))));
    follow("fragment run", old_base + distance, new_base + distance, 1);
    led = true;
  }
  if (explicit_base && !led) follow("base", old_base, new_base, 1);
}

void Offsets::compare_tfra(const Two& tfra) {
  const std::uint64_t version = tfra.old_bytes.number(tfra.old_box.payload, 4) >> 24U;
  const unsigned width = version == 0 ? 4 : 8;
  const std::uint64_t lengths = tfra.old_bytes.number(tfra.old_box.payload + 8, 4);
  const std::uint64_t count = tfra.old_bytes.number(tfra.old_box.payload + 12, 4);
  const std::uint64_t stride =
      2 * width + 3 + (lengths >> 4U & 3U) + (lengths >> 2U & 3U) + (lengths & 3U);
  const std::uint64_t size = tfra.old_box.end - tfra.old_box.payload;
  same_except(tfra, 16, size - 16);
  if (size < 16 + count * stride) throw Mismatch("tfra is shorter than it says");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t old_at = tfra.old_box.payload + 16 + i * stride;
    const std::uint64_t new_at = tfra.new_box.payload + 16 + i * stride;
    if (first_difference(tfra.old_bytes, old_at, tfra.new_bytes, new_at, width) != width ||
        first_difference(tfra.old_bytes, old_at + 2 * width, tfra.new_bytes, new_at + 2 * width,
                         stride - 2 * width) != stride - 2 * width) {
      throw Mismatch("an entry of tfra has changed");
    }
    follow("tfra", tfra.old_bytes.number(old_at + width, width),
           tfra.new_bytes.number(new_at + width, width), 8);
  }
}

void Offsets::compare_sidx(const Two& sidx) {
  compare_leaf(sidx);
  const unsigned width = sidx.old_bytes.number(sidx.old_box.payload, 1) == 0 ? 4 : 8;
  const std::uint64_t at = sidx.old_box.payload + 12 + 2 * width;
  std::uint64_t distance = sidx.old_bytes.number(at - width, width);
  const std::uint64_t count = sidx.old_bytes.number(at + 2, 2);
  for (std::uint64_t i = 0; i < count; ++i) {
    follow("sidx", sidx.old_box.end + distance, sidx.new_box.end + distance, 8);
    distance += sidx.old_bytes.number(at + 4 + 12 * i, 4) & 0x7fffffff;
  }
}

}  // namespace shunt::test::check
