#include "sink_report.h"

#include <fmt/format.h>

#include "report/description.h"
#include "report/text.h"
#include "shunt/sink/advice.h"
#include "shunt/text/size_text.h"

namespace shunt::cli {
namespace {

// Returns the options as they can be typed.
std::string advised_options(const sink::Advice& advice) {
  return fmt::format("--commit window --window {} --memory {}", size_to_type(advice.window),
                     size_to_type(advice.memory));
}

// For example "1.00 GiB out, 12.0 MiB of it zeros, at most 1.02 MiB held, 3.2 s"; for a failed run
// "stopped: 15.0 MiB of 64.0 MiB out, 16.0 MiB written, 0.3 s".
Description describe(const serve::SessionReport& report, const SinkReportStyle& style) {
  const sink::Summary& all = report.summary;
  const bool done = !report.error;
  Description run;
  run.add_bytes(".size", style.size);
  run.add({.name = "bytes_out",
           .value = all.bytes_out,
           .unit = Unit::kBytes,
           .phrase = done             ? "{} out"
                     : style.size > 0 ? "stopped: {} of {.size} out"
                                      : "stopped: {} out",
           .always = true});
  run.add({.name = "bytes_in",
           .value = all.bytes_in,
           .unit = Unit::kBytes,
           .phrase = done ? "" : "{} written",
           .always = true});
  run.add_bytes("zero_bytes", all.zero_bytes).phrase = done ? "{} of it zeros" : "";
  Value requests = Value::object();
  for (const auto& [command, count] : report.requests) requests[command] = count;
  run.add({.name = "requests", .value = std::move(requests)});
  run.add_bytes("peak_held", all.peak_held).phrase = done ? "at most {} held" : "";
  run.add_bytes("spilled", all.spilled).phrase = done ? "{} spilled" : "";
  run.add_bytes("window_needed", all.window_needed);
  run.add({.name = "policy", .value = style.kind});
  run.add({.name = "streamed", .value = all.streamed});
  run.add({.name = "seconds",
           .value = report.seconds,
           .unit = Unit::kSeconds,
           .phrase = "{}",
           .always = true});
  run.add_text("digest", all.digest).phrase = done ? "{}" : "";
  const auto status = [&](const char* name, std::optional<serve::ExitStatus> of) {
    run.add({.name = name, .value = of ? Value(*of) : Value()});
  };
  status("command_status", report.command_status);
  status("consumer_status", report.consumer_status);
  Value error = error_json(report.error);
  if (report.error) error["code"] = style.exit_code;
  run.add({.name = "error", .value = std::move(error)});
  if (style.advise) {
    const sink::Advice advice = sink::advice_of(all);
    run.add({.name = "advice",
             .value = {{"window", advice.window},
                       {"memory", advice.memory},
                       {"options", advised_options(advice)}}});
  }
  return run;
}

}  // namespace

void print_sink_text(const Globals& globals, const serve::SessionReport& report,
                     const SinkReportStyle& style) {
  if (!globals.quiet) {
    if (!report.error || report.began) print_line(Stream::kErr, line_for(describe(report, style)));
  }
  if (style.advise) {
    print_line(Stream::kErr, fmt::format("advice: {}{} would have been enough",
                                         report.error ? "up to the failure, " : "",
                                         advised_options(sink::advice_of(report.summary))));
  }
  if (report.error) print_error(globals, *report.error);
}

void print_sink_json(Stream stream, const serve::SessionReport& report,
                     const SinkReportStyle& style) {
  print_document(stream, {.whole = describe(report, style)});
}

}  // namespace shunt::cli
