// The results of `fetch` and `cache-warm` as text or JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <vector>

#include "globals.h"
#include "output.h"
#include "shunt/fetch/fetch.h"

namespace shunt::cli {

// Prints errors and summaries of one finished Source on standard error.
void print_fetch_text(const Globals& globals, const fetch::Report& report);

// Prints the document of `fetch`, with the members of its one report.
void print_fetch_json(Stream stream, const fetch::Report& report);
// Prints the document of `cache-warm`.
void print_warm_json(const std::vector<fetch::Report>& reports, int code);

}  // namespace shunt::cli
