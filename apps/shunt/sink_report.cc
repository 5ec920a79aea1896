#include "sink_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/size_text.h"

namespace shunt::cli {
namespace {

// "1.00 GiB out, 12.0 MiB of it zeros, at most 1.02 MiB held, 3.2 s"
std::string summary(const sink::SessionReport& report) {
  const sink::Summary& all = report.summary;
  std::string text = fmt::format("{} out", format_size(all.bytes_out));
  if (all.zero_bytes > 0) text += fmt::format(", {} of it zeros", format_size(all.zero_bytes));
  if (all.peak_held > 0) text += fmt::format(", at most {} held", format_size(all.peak_held));
  if (all.spilled > 0) text += fmt::format(", {} spilled", format_size(all.spilled));
  text += fmt::format(", {:.1f} s", report.seconds);
  if (!all.digest.empty()) text += ", " + all.digest;
  return text;
}

}  // namespace

void print_sink_text(const Globals& globals, const sink::SessionReport& report,
                     const SinkReportStyle& style) {
  if (!globals.quiet && !report.error) print_line(Stream::kErr, summary(report));
  if (style.advise) {
    print_line(
        Stream::kErr,
        fmt::format("advice: {}--commit window --window {} would have done; what was held at "
                    "once fits --memory {}",
                    report.error ? "as far as this came, " : "", report.summary.window_needed,
                    report.summary.peak_held));
  }
  if (report.error) print_error(globals, *report.error);
}

void print_sink_json(Stream stream, const sink::SessionReport& report,
                     const SinkReportStyle& style) {
  const sink::Summary& all = report.summary;
  nlohmann::ordered_json document = {{"schema_version", kSchemaVersion},
                                     {"bytes_out", all.bytes_out},
                                     {"bytes_in", all.bytes_in},
                                     {"zero_bytes", all.zero_bytes},
                                     {"requests", nlohmann::ordered_json::object()},
                                     {"peak_held", all.peak_held},
                                     {"spilled", all.spilled},
                                     {"window_needed", all.window_needed},
                                     {"policy", style.kind},
                                     {"streamed", all.streamed},
                                     {"seconds", report.seconds},
                                     {"digest", text_or_null(all.digest)},
                                     {"command_status", nullptr},
                                     {"error", error_json(report.error)}};
  for (const auto& [command, count] : report.requests) document["requests"][command] = count;
  if (report.command_status) document["command_status"] = *report.command_status;
  if (style.advise) {
    document["advice"] = {{"window", all.window_needed}, {"memory", all.peak_held}};
  }
  print_json(stream, document);
}

}  // namespace shunt::cli
