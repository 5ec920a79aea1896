// What became of the Sources of `fetch` and `cache-warm`, as text or as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <vector>

#include "globals.h"
#include "output.h"
#include "shunt/fetch/fetch.h"

namespace shunt::cli {

// Errors and summaries to standard error, when a Source is done.
void print_fetch_text(const Globals& globals, const fetch::Report& report);

// The document of `fetch`, with the members of the one report.
void print_fetch_json(Stream stream, const fetch::Report& report);
// The document of `cache-warm`.
void print_warm_json(const std::vector<fetch::Report>& reports, int code);

}  // namespace shunt::cli
