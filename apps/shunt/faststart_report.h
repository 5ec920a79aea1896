// The results of faststart as text or JSON.
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

// A report, with what was downloaded if the source is remote.
struct FetchedReport {
  faststart::Report report;
  std::optional<Fetched> fetched{};
  // For --check: whether moov is in front; the inner nullopt: could not be found out.
  std::optional<std::optional<bool>> front{};
};

// Prints the text for one finished file: errors and summaries on standard error, plans on standard
// output.
void print_faststart_text(const Globals& globals, const FetchedReport& done);

// Prints one JSON document for all files.
void print_faststart_json(Stream stream, const std::vector<FetchedReport>& reports);

// Returns the report of a file that could not be processed.
[[nodiscard]] faststart::Report failed_faststart(const std::string& path, const Error& error);

// Returns the exit code, see exit_code_for.
[[nodiscard]] int exit_code_of_faststart(const std::vector<FetchedReport>& reports);

}  // namespace shunt::cli
