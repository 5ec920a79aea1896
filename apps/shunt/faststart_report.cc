#include "faststart_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <optional>

#include "base/size_text.h"
#include "exit_code.h"
#include "output.h"
#include "signals.h"

namespace shunt::cli {
namespace {

using faststart::Report;
using faststart::Status;

std::string strategy_name(const Report& report) {
  return std::string(report.strategy ? name_of(*report.strategy) : "none");
}

std::string recovery_text(const Report& report) {
  return report.recovery == Report::Recovery::kFinished
             ? "an interrupted run has been finished: moov is in front"
             : "an interrupted run has been undone: the original is back";
}

std::string summary(const Report& report) {
  switch (report.status) {
    case Status::kMoved:
      return fmt::format("moved ({}): moov of {} in front, {} read, {} written, {:.3f} s{}",
                         strategy_name(report), format_size(report.moov_size),
                         format_size(report.bytes_read), format_size(report.bytes_written),
                         report.seconds, report.verified.value_or(false) ? ", verified" : "");
    case Status::kAlready:
      return "already: nothing to do";
    case Status::kRecovered:
      return "recovered: " + recovery_text(report);
    case Status::kPlanned:
    case Status::kFailed:
      break;
  }
  return {};
}

std::string plan_text(const Report& report) {
  std::string text = line_of(fmt::format("{}: {}", report.path, strategy_name(report)));
  text += fmt::format(
      "  new moov     {} ({} bytes{})\n"
      "  shift        {}\n"
      "  padding      {}\n"
      "  reads        {}\n"
      "  writes       {}\n"
      "  memory       at most {}\n"
      "  disk space   {}\n"
      "  size         {} -> {}\n"
      "  strategies\n",
      format_size(report.moov_size), report.moov_size,
      report.co64_upgraded > 0 ? fmt::format(", {} tables become co64", report.co64_upgraded) : "",
      format_size(report.shift), format_size(report.padding), format_size(report.bytes_read),
      format_size(report.bytes_written), format_size(report.memory), format_size(report.disk_space),
      report.size_before, report.size_after);
  for (const faststart::Assessment& assessment : report.assessments) {
    const bool chosen = report.strategy == assessment.strategy;
    text += fmt::format("  {} {:8} {:4} {}\n", chosen ? '>' : ' ', name_of(assessment.strategy),
                        assessment.suitable ? "yes" : "no", assessment.reason);
  }
  return text;
}

nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json json = {{"path", report.path},
                                 {"status", name_of(report.status)},
                                 {"strategy", strategy_name(report)},
                                 {"size_before", report.size_before},
                                 {"size_after", report.size_after},
                                 {"moov_size", report.moov_size},
                                 {"shift", report.shift},
                                 {"padding", report.padding},
                                 {"co64_upgraded", report.co64_upgraded},
                                 {"bytes_read", report.bytes_read},
                                 {"bytes_written", report.bytes_written},
                                 {"seconds", report.seconds},
                                 {"verified", nullptr},
                                 {"error", error_json(report.error)}};
  if (report.verified) json["verified"] = *report.verified;
  // What only some reports have.
  if (report.recovery != Report::Recovery::kNothing) {
    json["recovered"] = report.recovery == Report::Recovery::kFinished ? "finished" : "original";
  }
  if (!report.warnings.empty()) json["warnings"] = report.warnings;
  if (report.status == Status::kPlanned && !report.assessments.empty()) {
    json["memory"] = report.memory;
    json["disk_space"] = report.disk_space;
    for (const faststart::Assessment& assessment : report.assessments) {
      json["strategies"].push_back({{"strategy", name_of(assessment.strategy)},
                                    {"suitable", assessment.suitable},
                                    {"reason", assessment.reason}});
    }
  }
  return json;
}

}  // namespace

void print_faststart_text(const Globals& globals, const Report& report) {
  if (!globals.quiet) {
    for (const std::string& warning : report.warnings) {
      print_line(Stream::kErr, fmt::format("shunt: {}: warning: {}", report.path, warning));
    }
    if (report.recovery != Report::Recovery::kNothing && report.status != Status::kRecovered) {
      print_line(Stream::kErr, fmt::format("shunt: {}: {}", report.path, recovery_text(report)));
    }
  }
  if (report.error) {
    print_error(globals, *report.error);
  } else if (report.status == Status::kPlanned) {
    print(Stream::kOut, plan_text(report));
  } else if (!globals.quiet) {
    print_line(Stream::kErr, fmt::format("{}: {}", report.path, summary(report)));
  }
}

void print_faststart_json(Stream stream, const std::vector<Report>& reports,
                          const std::optional<Fetched>& fetched) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const Report& report : reports) files.push_back(to_json(report));
  if (fetched && !files.empty()) {
    files.back()["bytes_fetched"] = fetched->bytes;
    files.back()["requests"] = fetched->requests;
  }
  print_json(stream, {{"schema_version", kSchemaVersion}, {"files", std::move(files)}});
}

Report failed_faststart(const std::string& path, const Error& error) {
  Report report;
  report.path = path;
  report.error = error.with_path(path);
  return report;
}

int exit_code_of_faststart(const std::vector<Report>& reports) {
  std::vector<std::optional<ErrorCode>> outcomes;
  for (const Report& report : reports) {
    outcomes.emplace_back(report.status == Status::kFailed ? std::optional(report.error->code)
                                                           : std::nullopt);
  }
  return exit_code_for(outcomes, cancel_token());
}

}  // namespace shunt::cli
