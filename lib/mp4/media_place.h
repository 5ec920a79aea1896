// Finds a file's media: what chunks, items and fragments point at. Box types do not tell, except
// that mdat, imda and moof always count as media.
#pragma once

#include <cstdint>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/field_scan.h"
#include "shunt/mp4/file_map.h"

namespace shunt::mp4 {

// Returns the map of the file with moov_in_front as a player sees it; complete unless that is true.
// Reads tables only if some other box with content lies in front of moov; if they cannot be parsed,
// box types decide. `cancel` as in scan_fields.
Result<FileMap> locate_media(const io::SourcePtr& source, const CancelToken* cancel = nullptr);

// Returns the smallest offset at or behind `from` that any table or field points at; UINT64_MAX if
// there is none. `from` is 0 or a bound of the zones used in the scan.
[[nodiscard]] std::uint64_t smallest_reference(const BoxModel& moov, const FieldModel& fields,
                                               std::uint64_t from = 0);

}  // namespace shunt::mp4
