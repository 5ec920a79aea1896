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
  return std::string(report.strategy != nullptr ? report.strategy->name() : "none");
}

std::string recovery_text(const Report& report) {
  return report.recovery == Report::Recovery::kFinished
             ? "an interrupted run has been finished: moov is in front"
             : "an interrupted run has been undone: the original is back";
}

// Into another file or stream it is copied all the same.
std::string already_text(const Report& report) {
  if (report.bytes_written == 0) return "already: nothing to do";
  return fmt::format("in front already: {}copied, {} read, {} written",
                     report.dry_run ? "would be " : "", format_size(report.bytes_read),
                     format_size(report.bytes_written));
}

std::string fetched_text(const Fetched& fetched) {
  return fmt::format("{} in {} request{}", format_size(fetched.bytes), fetched.requests,
                     fetched.requests == 1 ? "" : "s");
}

std::string summary(const FetchedReport& done) {
  const Report& report = done.report;
  const std::string fetched =
      done.fetched ? ", fetched " + fetched_text(*done.fetched) : std::string();
  switch (report.status) {
    case Status::kMoved:
      return fmt::format("moved ({}): moov of {} in front, {} read, {} written{}, {:.3f} s{}",
                         strategy_name(report), format_size(report.moov_size),
                         format_size(report.bytes_read), format_size(report.bytes_written), fetched,
                         report.seconds, report.verified.value_or(false) ? ", verified" : "");
    case Status::kAlready:
      return already_text(report) + fetched + (report.verified.value_or(false) ? ", verified" : "");
    case Status::kRecovered:
      return "recovered: " + recovery_text(report);
    case Status::kNothing:
      return "nothing to recover";
    case Status::kPlanned:
    case Status::kFailed:
      break;
  }
  return {};
}

std::string strategies_text(const Report& report) {
  std::string text;
  for (const faststart::Assessment& assessment : report.assessments) {
    const bool chosen = report.strategy == assessment.strategy;
    text += fmt::format("  {} {:8} {:4} {}\n", chosen ? '>' : ' ', assessment.strategy->name(),
                        assessment.suitable ? "yes" : "no", assessment.reason);
  }
  return text;
}

std::string plan_text(const FetchedReport& done) {
  const Report& report = done.report;
  std::string text = line_of(fmt::format("{}: {}", report.path, strategy_name(report)));
  text += fmt::format(
      "  new moov     {} ({} bytes{})\n"
      "  shift        {}\n"
      "  padding      {}\n"
      "  reads        {}\n"
      "  writes       {}\n"
      "  memory       at most {}\n"
      "  disk space   {}\n"
      "  size         {} -> {}\n",
      format_size(report.moov_size), report.moov_size,
      report.co64_upgraded > 0 ? fmt::format(", {} tables become co64", report.co64_upgraded) : "",
      format_size(report.shift), format_size(report.padding), format_size(report.bytes_read),
      format_size(report.bytes_written), format_size(report.memory), format_size(report.disk_space),
      report.size_before, report.size_after);
  if (done.fetched) text += fmt::format("  fetched      {}\n", fetched_text(*done.fetched));
  return text + "  strategies\n" + strategies_text(report);
}

// Of a dry run that found no way: why not, for each.
std::string no_plan_text(const Report& report) {
  return line_of(fmt::format("{}: none", report.path)) + "  strategies\n" + strategies_text(report);
}

nlohmann::ordered_json to_json(const FetchedReport& done) {
  const Report& report = done.report;
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
  if (report.status == Status::kNothing) json["recovered"] = "nothing";
  if (done.front) json["front"] = *done.front ? nlohmann::ordered_json(**done.front) : nullptr;
  if (!report.warnings.empty()) json["warnings"] = report.warnings;
  // It was planned.
  if (report.memory > 0 && !report.error) {
    json["memory"] = report.memory;
    json["disk_space"] = report.disk_space;
  }
  if (report.dry_run || report.error) {
    for (const faststart::Assessment& assessment : report.assessments) {
      json["strategies"].push_back({{"strategy", assessment.strategy->name()},
                                    {"suitable", assessment.suitable},
                                    {"reason", assessment.reason}});
    }
  }
  if (done.fetched) {
    json["bytes_fetched"] = done.fetched->bytes;
    json["requests"] = done.fetched->requests;
  }
  return json;
}

}  // namespace

void print_faststart_text(const Globals& globals, const FetchedReport& done) {
  const Report& report = done.report;
  if (!globals.quiet) {
    for (const std::string& warning : report.warnings) {
      print_line(Stream::kErr, fmt::format("shunt: {}: warning: {}", report.path, warning));
    }
    if (report.recovery != Report::Recovery::kNothing && report.status != Status::kRecovered) {
      print_line(Stream::kErr, fmt::format("shunt: {}: {}", report.path, recovery_text(report)));
    }
  }
  if (report.error) {
    if (report.dry_run && !report.assessments.empty()) print(Stream::kOut, no_plan_text(report));
    print_error(globals, *report.error);
    if (!report.dry_run && report.error->code != ErrorCode::kInterrupted) {
      print(Stream::kErr, strategies_text(report));
    }
  } else if (report.status == Status::kPlanned) {
    print(Stream::kOut, plan_text(done));
  } else if (!globals.quiet) {
    print_line(Stream::kErr, fmt::format("{}: {}", report.path, summary(done)));
  }
}

void print_faststart_json(Stream stream, const std::vector<FetchedReport>& reports) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  std::vector<std::optional<Error>> errors;
  for (const FetchedReport& done : reports) {
    files.push_back(to_json(done));
    errors.push_back(done.report.error);
  }
  nlohmann::ordered_json json = {{"schema_version", kSchemaVersion}, {"files", std::move(files)}};
  add_outcome(json, exit_code_of_faststart(reports), errors);
  print_json(stream, json);
}

Report failed_faststart(const std::string& path, const Error& error) {
  Report report;
  report.path = path;
  report.error = error.with_path(path);
  return report;
}

int exit_code_of_faststart(const std::vector<FetchedReport>& reports) {
  std::vector<std::optional<ErrorCode>> outcomes;
  for (const FetchedReport& done : reports) {
    const Report& report = done.report;
    outcomes.emplace_back(report.status == Status::kFailed ? std::optional(report.error->code)
                                                           : std::nullopt);
  }
  return exit_code_for(outcomes, cancel_token());
}

}  // namespace shunt::cli
