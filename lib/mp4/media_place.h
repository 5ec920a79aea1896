// Where a file's media is: where its chunks, items and fragments point. The type of a box does not
// tell, but for mdat, imda and moof, which count as media whatever points there.
#pragma once

#include <cstdint>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/field_scan.h"
#include "shunt/mp4/file_map.h"

namespace shunt::mp4 {

// The map of the file, with moov_in_front as it is for a player; complete unless that is true.
// Reads tables only where some other box with content stands in front of moov. Where these cannot
// be understood, the types of the boxes decide. `cancel` as in scan_fields.
Result<FileMap> locate_media(const io::SourcePtr& source, const CancelToken* cancel = nullptr);

// The first byte that anything points at; the largest number when nothing does. Only what is at or
// behind `from` counts, which is 0 or a bound of the zones that were scanned with.
[[nodiscard]] std::uint64_t smallest_reference(const BoxModel& moov, const FieldModel& fields,
                                               std::uint64_t from = 0);

}  // namespace shunt::mp4
