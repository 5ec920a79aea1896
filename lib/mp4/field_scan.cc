#include "shunt/mp4/field_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "shunt/base/big_endian.h"
#include "shunt/base/checked.h"
#include "shunt/boxes/limits.h"
#include "shunt/mp4/fragment_scan.h"

namespace shunt::mp4 {
namespace {

constexpr std::array<std::uint8_t, 16> kC2paUuid = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c,
                                                    0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};

class FieldScanner {
 public:
  FieldScanner(const io::SourcePtr& source, const boxes::Zones& zones, const BoxModel& moov,
               Torn torn, boxes::Budget& budget, const CancelToken* cancel)
      : source_(source),
        zones_(zones),
        torn_(torn),
        budget_(budget),
        reader_(*source),
        fragments_(reader_, zones, moov, torn, cancel) {}

  Result<FieldModel> run(const FileMap& file) {
    for (const std::uint64_t at : file.with_offsets) {
      SHUNT_ASSIGN(const boxes::Box box, boxes::read_box(reader_, at, {0, file.size}));
      if (box.type == boxes::BoxType("moof")) SHUNT_TRY(scan_moof(box));
      if (box.type == boxes::BoxType("mfra")) SHUNT_TRY(scan_mfra(box));
      if (box.type == boxes::BoxType("uuid")) SHUNT_TRY(scan_uuid(box));
      if (box.type == boxes::BoxType("meta") || box.type == boxes::BoxType("meco")) {
        SHUNT_ASSIGN(BoxModel meta, scan_box(source_, box, zones_, budget_, torn_));
        if (!meta.ilocs.empty()) model_.metas.push_back(std::move(meta));
      }
    }
    model_.first_relative = fragments_.first_relative();
    return std::move(model_);
  }

 private:
  // Calls `visit` for each box in `parent`.
  template <typename Visit>
  Result<void> for_children(const boxes::Box& parent, const Visit& visit) {
    for (std::uint64_t at = parent.payload().begin; parent.range.end - at >= 8;) {
      SHUNT_ASSIGN(const boxes::Box child, boxes::read_box(reader_, at, parent.range));
      SHUNT_TRY(visit(child));
      at = child.range.end;
    }
    return {};
  }

  Result<void> scan_moof(const boxes::Box& moof) {
    SHUNT_ASSIGN(const std::vector<OffsetField> fields, fragments_.scan(moof));
    for (const OffsetField& field : fields) SHUNT_TRY(add(field));
    return {};
  }

  Result<void> scan_mfra(const boxes::Box& mfra) {
    return for_children(mfra, [&](const boxes::Box& child) -> Result<void> {
      if (child.type == boxes::BoxType("tfra")) return scan_tfra(child);
      return {};
    });
  }

  Result<void> scan_tfra(const boxes::Box& tfra) {
    SHUNT_ASSIGN(const boxes::VersionAndFlags word, boxes::read_version_and_flags(reader_, tfra));
    SHUNT_ASSIGN(const auto head, boxes::view_payload(reader_, tfra, 8, 8));
    const auto lengths = load_be<std::uint32_t>(head.data());
    const auto count = load_be<std::uint32_t>(head.data() + 4);
    const std::uint32_t width = word.version == 1 ? 8 : 4;
    const std::uint64_t numbers = 3 + (lengths >> 4 & 3) + (lengths >> 2 & 3) + (lengths & 3);
    const std::uint64_t stride = 2 * width + numbers;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t at = 16 + i * stride + width;
      SHUNT_ASSIGN(const auto bytes, boxes::view_payload(reader_, tfra, at, width));
      const std::uint64_t value =
          width == 8 ? load_be<std::uint64_t>(bytes.data()) : load_be<std::uint32_t>(bytes.data());
      SHUNT_TRY(add({tfra.payload().begin + at, width, value, value}));
    }
    return {};
  }

  Result<void> scan_uuid(const boxes::Box& box) {
    if (box.payload().size() < kC2paUuid.size()) return {};
    SHUNT_ASSIGN(const auto id, boxes::view_payload(reader_, box, 0, kC2paUuid.size()));
    if (!std::ranges::equal(id, std::as_bytes(std::span(kC2paUuid)))) return {};
    model_.warnings.push_back(
        fmt::format("the C2PA manifest at byte {} binds the file by hash; moving bytes breaks that "
                    "binding",
                    box.range.begin));
    // Version and flags, a purpose ending in NUL, then the offset for some purposes.
    constexpr std::size_t kPurposeAt = 20;
    constexpr std::string_view kPurposes[] = {"manifest", "original", "update"};
    for (const std::string_view purpose : kPurposes) {
      const std::size_t size = purpose.size() + 1;
      if (box.payload().size() < kPurposeAt + size + 8) continue;
      SHUNT_ASSIGN(const auto bytes, boxes::view_payload(reader_, box, kPurposeAt, size + 8));
      const auto text = std::as_bytes(std::span(purpose.data(), purpose.size()));
      if (!std::ranges::equal(bytes.first(purpose.size()), text) ||
          bytes[purpose.size()] != std::byte{0}) {
        continue;
      }
      const auto value = load_be<std::uint64_t>(bytes.data() + size);
      if (value == 0) return {};
      return add({box.payload().begin + kPurposeAt + size, 8, value, value});
    }
    return {};
  }

  Result<void> add(const OffsetField& field) {
    if (!budget_.take(boxes::Budget::kField)) return corrupt(boxes::kBeyondBudget, field.at);
    if (model_.fields.size() == boxes::kMaxFields)
      return corrupt("too many offset fields", field.at);
    model_.fields.push_back(field);
    return {};
  }

  const io::SourcePtr& source_;
  const boxes::Zones& zones_;
  Torn torn_;
  boxes::Budget& budget_;
  io::BufferedReader reader_;
  FragmentScanner fragments_;
  FieldModel model_;
};

// Adds the differences of a box that keeps its size, as patches of 32-bit words.
Result<void> add_difference(const io::Source& source, const boxes::ItemLocations& iloc,
                            const boxes::OffsetMap& map, std::vector<layout::FieldPatch>& patches) {
  const std::vector<std::byte> changed = iloc.rewrite(map);
  std::vector<std::byte> old(changed.size());
  SHUNT_TRY(io::read_exactly(source, iloc.box().range.begin, old));
  for (std::size_t i = 0; i < changed.size();) {
    if (changed[i] == old[i]) {
      ++i;
      continue;
    }
    const std::size_t at = std::min(i, changed.size() - 4);  // a full box is larger than that
    patches.push_back({iloc.box().range.begin + at, 4, load_be<std::uint32_t>(old.data() + at),
                       load_be<std::uint32_t>(changed.data() + at)});
    i = at + 4;
  }
  return {};
}

}  // namespace

Result<FieldModel> scan_fields(const io::SourcePtr& source, const FileMap& file,
                               const boxes::Zones& zones, const BoxModel& moov,
                               boxes::Budget& budget, Torn torn, const CancelToken* cancel) {
  return FieldScanner(source, zones, moov, torn, budget, cancel).run(file);
}

Result<std::vector<layout::FieldPatch>> patch_fields(const FieldModel& model,
                                                     const boxes::OffsetMap& map) {
  std::vector<layout::FieldPatch> patches;
  for (const OffsetField& field : model.fields) {
    const std::int64_t delta = map.stretch_at(field.target).delta;
    if (delta == 0) continue;
    const auto moved = checked_shift(field.value, delta);
    if (!moved) continue;  // far outside the file, before and after
    if (field.width == 4 && *moved > std::numeric_limits<std::uint32_t>::max()) {
      return corrupt("an offset outside moov would pass 4 GiB, which its field cannot hold",
                     field.at);
    }
    patches.push_back({field.at, field.width, field.value, *moved});
  }
  for (const BoxModel& meta : model.metas) {
    if (meta.growth() > 0) continue;
    for (const boxes::ItemLocations& iloc : meta.ilocs) {
      SHUNT_TRY(add_difference(*meta.source, iloc, map, patches));
    }
  }
  std::ranges::sort(patches, {}, &layout::FieldPatch::at);
  return patches;
}

}  // namespace shunt::mp4
