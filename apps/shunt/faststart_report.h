// What became of the files, as text or as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "globals.h"
#include "output.h"
#include "shunt/faststart/faststart.h"

namespace shunt::cli {

// What was downloaded of a remote source.
struct Fetched {
  std::uint64_t bytes = 0;
  std::uint64_t requests = 0;
};

// A report, and what was downloaded for it where that lies on a server.
struct FetchedReport {
  faststart::Report report;
  std::optional<Fetched> fetched{};
  // Of --check: whether moov is in front; nullopt within when that could not be told.
  std::optional<std::optional<bool>> front{};
};

// Text for one file, when it is done: errors and summaries to standard error, plans to standard
// output.
void print_faststart_text(const Globals& globals, const FetchedReport& done);

// The one document for all files.
void print_faststart_json(Stream stream, const std::vector<FetchedReport>& reports);

// Of a file that nothing could be done about.
[[nodiscard]] faststart::Report failed_faststart(const std::string& path, const Error& error);

// See exit_code_for.
[[nodiscard]] int exit_code_of_faststart(const std::vector<FetchedReport>& reports);

}  // namespace shunt::cli
