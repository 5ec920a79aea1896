// The final report of stream-sink.
#pragma once

#include <cstdint>
#include <string>

#include "globals.h"
#include "output.h"
#include "shunt/serve/session.h"

namespace shunt::cli {

struct SinkReportStyle {
  std::string kind;        // the policy, or "stdin"
  std::uint64_t size = 0;  // of the disk, in bytes; 0: unknown
  int exit_code = 0;
  bool advise = false;  // suggest options, see sink/advice.h
};

void print_sink_text(const Globals& globals, const serve::SessionReport& report,
                     const SinkReportStyle& style);
void print_sink_json(Stream stream, const serve::SessionReport& report,
                     const SinkReportStyle& style);

}  // namespace shunt::cli
