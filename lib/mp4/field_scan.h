// Absolute offsets outside moov: in fragments, in their index, in items and manifests.
//
//   moof/traf/tfhd.base_data_offset  ISO/IEC 14496-12, 8.8.7
//   mfra/tfra.moof_offset            8.8.10
//   meta/iloc, meco/…/iloc           8.11.3
//   uuid (C2PA).merkle_offset        C2PA specification, "Embedding manifests into BMFF"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/source.h"
#include "layout/field_patch.h"
#include "mp4/box_model.h"
#include "mp4/file_map.h"
#include "mp4/offset_map.h"

namespace shunt::mp4 {

// An offset field and what it really points at.
struct OffsetField {
  std::uint64_t at = 0;
  std::uint32_t width = 4;
  std::uint64_t value = 0;
  // The field moves as `target` does: a base_data_offset follows the data that counts from it.
  std::uint64_t target = 0;
};

struct FieldModel {
  std::vector<OffsetField> fields;    // ascending by place
  std::vector<BoxModel> metas;        // file-level meta and meco with an iloc
  std::vector<std::string> warnings;  // for people: what moving bytes does to signatures
};

Result<FieldModel> scan_fields(const io::SourcePtr& source, const FileMap& file,
                               const Zones& zones);

// What changes in place, ascending. kCorrupt when a value no longer fits its field and the field
// cannot grow. Metas that have grown are not among them.
Result<std::vector<layout::FieldPatch>> patch_fields(const FieldModel& model, const OffsetMap& map);

}  // namespace shunt::mp4
