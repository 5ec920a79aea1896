// Scans the tables of moov, compressed or not.
#pragma once

#include "shunt/base/result.h"
#include "shunt/boxes/zones.h"
#include "shunt/io/source.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/file_map.h"

namespace shunt::mp4 {

// Like scan_box, for moov; if it contains a cmov, for the inflated moov.
Result<BoxModel> scan_moov(const io::SourcePtr& source, const FileMap& file,
                           const boxes::Zones& zones, boxes::Budget& budget,
                           Torn torn = Torn::kRefuse);

}  // namespace shunt::mp4
