// What stream-sink says at its end.
#pragma once

#include <string>

#include "globals.h"
#include "output.h"
#include "sink/session.h"

namespace shunt::cli {

struct SinkReportStyle {
  std::string kind;     // the policy, or "stdin"
  bool advise = false;  // the window and the memory that would have done
};

void print_sink_text(const Globals& globals, const sink::SessionReport& report,
                     const SinkReportStyle& style);
void print_sink_json(Stream stream, const sink::SessionReport& report,
                     const SinkReportStyle& style);

}  // namespace shunt::cli
