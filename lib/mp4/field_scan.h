// Absolute offsets outside moov: in fragments, their index, items and manifests.
//
//   moof/traf/tfhd.base_data_offset  ISO/IEC 14496-12, 8.8.7
//   mfra/tfra.moof_offset            8.8.10
//   meta/iloc, meco/…/iloc           8.11.3
//   uuid (C2PA).merkle_offset        C2PA specification, "Embedding manifests into BMFF"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/boxes/budget.h"
#include "shunt/boxes/offset_map.h"
#include "shunt/io/source.h"
#include "shunt/layout/field_patch.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/file_map.h"
#include "shunt/mp4/offset_field.h"

namespace shunt::mp4 {

struct FieldModel {
  std::vector<OffsetField> fields;  // ascending by offset
  std::vector<BoxModel> metas;      // file-level meta and meco with an iloc
  // The smallest offset of samples in fragments with relative offsets.
  std::uint64_t first_relative = UINT64_MAX;
  std::vector<std::string> warnings;  // for people: effects of moving bytes on signatures
};

// `moov` says which tracks lie in other files. Returns kInterrupted once `cancel`, which may be
// null, is requested: there may be many fragments.
Result<FieldModel> scan_fields(const io::SourcePtr& source, const FileMap& file,
                               const boxes::Zones& zones, const BoxModel& moov,
                               boxes::Budget& budget, Torn torn = Torn::kRefuse,
                               const CancelToken* cancel = nullptr);

// Returns the patches, in ascending order. Returns kCorrupt if a value does not fit a field that
// cannot grow. Metas that have grown are not included.
Result<std::vector<layout::FieldPatch>> patch_fields(const FieldModel& model,
                                                     const boxes::OffsetMap& map);

}  // namespace shunt::mp4
