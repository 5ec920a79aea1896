// The tables of moov, compressed or not.
#pragma once

#include "base/result.h"
#include "io/source.h"
#include "mp4/box_model.h"
#include "mp4/file_map.h"
#include "mp4/zones.h"

namespace shunt::mp4 {

// The model of the moov proper: of what a cmov holds, where there is one. As scan_box.
Result<BoxModel> scan_moov(const io::SourcePtr& source, const FileMap& file, const Zones& zones,
                           Budget& budget, Torn torn = Torn::kRefuse);

}  // namespace shunt::mp4
