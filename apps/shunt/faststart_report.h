// What became of the files, as text or as JSON.
#pragma once

#include <vector>

#include "faststart/faststart.h"
#include "globals.h"
#include "output.h"

namespace shunt::cli {

// Text for one file, when it is done: errors and summaries to standard error, plans to standard
// output.
void print_faststart_text(const Globals& globals, const faststart::Report& report);

// The one document for all files.
void print_faststart_json(Stream stream, const std::vector<faststart::Report>& reports);

}  // namespace shunt::cli
