#include "sink_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/size_text.h"
#include "sink/advice.h"

namespace shunt::cli {
namespace {

// "1.00 GiB out, 12.0 MiB of it zeros, at most 1.02 MiB held, 3.2 s"
std::string summary(const serve::SessionReport& report) {
  const sink::Summary& all = report.summary;
  std::string text = fmt::format("{} out", format_size(all.bytes_out));
  if (all.zero_bytes > 0) text += fmt::format(", {} of it zeros", format_size(all.zero_bytes));
  if (all.peak_held > 0) text += fmt::format(", at most {} held", format_size(all.peak_held));
  if (all.spilled > 0) text += fmt::format(", {} spilled", format_size(all.spilled));
  text += fmt::format(", {:.1f} s", report.seconds);
  if (!all.digest.empty()) text += ", " + all.digest;
  return text;
}

// What a run that failed has come to: "15.0 MiB of 64.0 MiB out, 16.0 MiB written, 0.3 s".
std::string so_far(const serve::SessionReport& report, std::uint64_t size) {
  const sink::Summary& all = report.summary;
  std::string text = format_size(all.bytes_out);
  if (size > 0) text += " of " + format_size(size);
  return fmt::format("stopped: {} out, {} written, {:.1f} s", text, format_size(all.bytes_in),
                     report.seconds);
}

// What can be typed as it is.
std::string advised_options(const sink::Advice& advice) {
  return fmt::format("--commit window --window {} --memory {}", size_to_type(advice.window),
                     size_to_type(advice.memory));
}

}  // namespace

void print_sink_text(const Globals& globals, const serve::SessionReport& report,
                     const SinkReportStyle& style) {
  if (!globals.quiet) {
    if (!report.error) {
      print_line(Stream::kErr, summary(report));
    } else if (report.began) {
      print_line(Stream::kErr, so_far(report, style.size));
    }
  }
  if (style.advise) {
    print_line(Stream::kErr, fmt::format("advice: {}{} would have done",
                                         report.error ? "as far as this came, " : "",
                                         advised_options(sink::advice_of(report.summary))));
  }
  if (report.error) print_error(globals, *report.error);
}

void print_sink_json(Stream stream, const serve::SessionReport& report,
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
                                     {"consumer_status", nullptr},
                                     {"error", error_json(report.error)}};
  for (const auto& [command, count] : report.requests) document["requests"][command] = count;
  if (report.command_status) document["command_status"] = *report.command_status;
  if (report.error) document["error"]["code"] = style.exit_code;
  if (report.consumer_status) document["consumer_status"] = *report.consumer_status;
  if (style.advise) {
    const sink::Advice advice = sink::advice_of(all);
    document["advice"] = {
        {"window", advice.window}, {"memory", advice.memory}, {"options", advised_options(advice)}};
  }
  print_json(stream, document);
}

}  // namespace shunt::cli
