#include "support/fragments.h"

#include "support/items.h"

namespace shunt::test {
namespace {

constexpr std::uint32_t kTimescale = 48000;
constexpr std::uint32_t kSampleDuration = 1024;

std::string numbered(const char* name, const Fragment& fragment) {
  return name + std::to_string(fragment.sequence);
}

}  // namespace

Blob moof(const Fragment& fragment) {
  const std::string self = numbered("moof", fragment);
  const Position base =
      !fragment.absolute_base || fragment.base.label.empty() ? Position{self} : fragment.base;
  Blob tfhd = Blob().u32(fragment.track_id);
  if (fragment.absolute_base) tfhd.ref(8, base);
  tfhd.u32(kSampleDuration);
  const unsigned tfhd_flags = 0x8 | (fragment.absolute_base ? 0x1 : 0x20000);

  // `ref` can subtract a label but no number: the base's addend has to be taken off by hand.
  const Position data{numbered("frag", fragment), 0 - base.addend};
  Blob trun = Blob().u32(fragment.sample_sizes.size()).ref(4, data, base.label);
  for (const std::uint32_t size : fragment.sample_sizes) trun.u32(size);

  Blob traf = cat(full_box("tfhd", 0, tfhd_flags, tfhd),
                  full_box("tfdt", 1, 0, Blob().u64(fragment.decode_time)),
                  full_box("trun", 0, 0x201, trun));
  if (fragment.with_saio) {
    Track aux{.id = fragment.track_id, .seed = fragment.seed, .sample_size = 1};
    aux.chunks = {{{}, static_cast<std::uint32_t>(fragment.sample_sizes.size()), 1}};
    const std::string label = numbered("fragaux", fragment);
    traf.append(cat(senc(aux, label), saiz(aux), saio(0, {{label, 0 - base.addend}}, base.label)));
  }
  const Blob mfhd = full_box("mfhd", 0, 0, Blob().u32(fragment.sequence));
  return labelled(self, box("moof", mfhd, box("traf", traf)));
}

Blob fragment_data(const Fragment& fragment) {
  Blob out;
  out.label(numbered("frag", fragment));
  std::uint32_t sample = fragment.first_sample;
  for (const std::uint32_t size : fragment.sample_sizes) {
    out.append(noise(fragment.seed, sample++, size));
  }
  return out;
}

Blob segment(const Fragment& fragment) {
  const Blob whole = cat(moof(fragment), box("mdat", fragment_data(fragment)));
  return labelled(numbered("seg", fragment), whole).label(numbered("seg", fragment) + ".end");
}

Blob mvex(const std::vector<std::uint32_t>& track_ids) {
  Blob trexes;
  for (const std::uint32_t id : track_ids) {
    trexes.append(full_box("trex", 0, 0, Blob().u32(id).u32(1).u32(kSampleDuration).u32(0).u32(0)));
  }
  return box("mvex", trexes);
}

Blob tfra(unsigned version, std::uint32_t track_id, const std::vector<Fragment>& fragments) {
  const int width = version == 0 ? 4 : 8;
  std::uint32_t count = 0;
  Blob entries;
  for (const Fragment& fragment : fragments) {
    if (fragment.track_id != track_id) continue;
    entries.uint(width, fragment.decode_time).ref(width, {numbered("moof", fragment)});
    entries.u8(1).u8(1).u8(1);  // traf, trun and sample number
    ++count;
  }
  return full_box("tfra", version, 0, Blob().u32(track_id).u32(0).u32(count), entries);
}

Blob mfra(const Blob& tfras) {
  return box("mfra", tfras, full_box("mfro", 0, 0, Blob().u32(8 + tfras.size() + 16)));
}

Blob sidx(unsigned version, const std::vector<Fragment>& fragments) {
  const int width = version == 0 ? 4 : 8;
  Blob out = Blob().u32(1).u32(kTimescale).uint(width, fragments.front().decode_time);
  out.uint(width, 0).u16(0).u16(fragments.size());
  for (const Fragment& fragment : fragments) {
    const std::string name = numbered("seg", fragment);
    out.ref(4, {name + ".end"}, name);
    out.u32(fragment.sample_sizes.size() * kSampleDuration).u32(0x90000000);
  }
  return full_box("sidx", version, 0, out);
}

}  // namespace shunt::test
