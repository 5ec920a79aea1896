#include "support/items.h"

namespace shunt::test {

Blob iloc(const ItemLocations& locations) {
  const int index_size = locations.version == 0 ? 0 : locations.index_size;
  const int id_width = locations.version == 2 ? 4 : 2;
  Blob out;
  out.u8(static_cast<unsigned>(locations.offset_size << 4 | locations.length_size));
  out.u8(static_cast<unsigned>(locations.base_offset_size << 4 | index_size));
  out.uint(id_width, locations.items.size());
  for (const Item& item : locations.items) {
    out.uint(id_width, item.id);
    if (locations.version > 0) out.u16(item.construction_method);
    out.u16(item.data_reference);
    out.ref(locations.base_offset_size, item.base);
    out.u16(item.extents.size());
    for (const ItemExtent& extent : item.extents) {
      out.uint(index_size, 0);
      out.ref(locations.offset_size, extent.offset, extent.relative_to);
      out.uint(locations.length_size, locations.length_size == 0 ? 0 : extent.length);
    }
  }
  return full_box("iloc", locations.version, 0, out);
}

Blob meta(const ItemLocations& locations, const Blob& extra) {
  Blob infes;
  for (const Item& item : locations.items) {
    infes.append(full_box("infe", 2, 0, Blob().u16(item.id).u16(0).text("mime"),
                          Blob().u8(0).text("application/octet-stream").u8(0)));
  }
  const Blob hdlr = full_box("hdlr", 0, 0, Blob().u32(0).text("null").zeros(12).u8(0));
  const Blob iinf = full_box("iinf", 0, 0, Blob().u16(locations.items.size()), infes);
  return full_box("meta", 0, 0, hdlr, iinf, iloc(locations), extra);
}

Blob sample_aux_data(const Track& track, std::string_view label) {
  Blob out;
  out.label(label);
  for (std::uint32_t s = 0; s < track.sample_count(); ++s) {
    out.append(noise(track.seed ^ 0x5e9cU, s, 8));
  }
  return out;
}

Blob senc(const Track& track, std::string_view label) {
  return full_box("senc", 0, 0, Blob().u32(track.sample_count()), sample_aux_data(track, label));
}

Blob saiz(const Track& track) {
  return full_box("saiz", 0, 1, Blob().text("shnt").u32(0).u8(8).u32(track.sample_count()));
}

Blob saio(unsigned version, const std::vector<Position>& offsets, std::string_view minus) {
  Blob out = Blob().text("shnt").u32(0).u32(offsets.size());
  for (const Position& offset : offsets) out.ref(version == 0 ? 4 : 8, offset, minus);
  return full_box("saio", version, 1, out);
}

}  // namespace shunt::test
