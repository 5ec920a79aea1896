// What became of the files, as text or as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "faststart/faststart.h"
#include "globals.h"
#include "output.h"

namespace shunt::cli {

// Text for one file, when it is done: errors and summaries to standard error, plans to standard
// output.
void print_faststart_text(const Globals& globals, const faststart::Report& report);

// What was downloaded of a remote source.
struct Fetched {
  std::uint64_t bytes = 0;
  std::uint64_t requests = 0;
};

// The one document for all files. `fetched` is of the one source of a run with -o.
void print_faststart_json(Stream stream, const std::vector<faststart::Report>& reports,
                          const std::optional<Fetched>& fetched = std::nullopt);

// Of a file that nothing could be done about.
[[nodiscard]] faststart::Report failed_faststart(const std::string& path, const Error& error);

// See exit_code_for.
[[nodiscard]] int exit_code_of_faststart(const std::vector<faststart::Report>& reports);

}  // namespace shunt::cli
