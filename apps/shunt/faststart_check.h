// shunt faststart --check: whether moov is in front.
#pragma once

#include <string>
#include <vector>

#include "globals.h"

namespace shunt::cli {

// Reads headers only, of files, standard input and remote Sources; `layer` is for images. Returns
// the exit code.
int check_faststart(const Globals& globals, const std::vector<std::string>& files,
                    const std::string& layer);

}  // namespace shunt::cli
