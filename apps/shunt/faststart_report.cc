#include "faststart_report.h"

#include <fmt/format.h>

#include <optional>

#include "exit_code.h"
#include "output.h"
#include "report/description.h"
#include "report/text.h"
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
             : "an interrupted run has been undone: the original is restored";
}

// Returns the begin of the line for people: what was done.
std::string status_phrase(const Report& report) {
  switch (report.status) {
    case Status::kMoved:
      return "moved ({strategy}): moov of {moov_size} in front";
    case Status::kAlready:
      // With another output it is copied all the same.
      if (report.bytes_written == 0) return "already: nothing to do";
      return report.dry_run ? "in front already: would be copied" : "in front already: copied";
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

std::string fetched_phrase(const Fetched& fetched) {
  return "{} in {requests} " + noun_for(fetched.requests, "request", "requests");
}

Value strategies_value(const Report& report) {
  Value list = Value::array();
  for (const faststart::Assessment& assessment : report.assessments) {
    list.push_back({{"strategy", assessment.strategy->name()},
                    {"suitable", assessment.suitable},
                    {"reason", assessment.reason}});
  }
  return list;
}

// Adds fields that only some reports have.
void add_extras(const FetchedReport& done, Description& all) {
  const Report& report = done.report;
  if (report.recovery != Report::Recovery::kNothing) {
    const bool finished = report.recovery == Report::Recovery::kFinished;
    all.add({.name = "recovered", .value = finished ? "finished" : "original"});
  } else if (report.status == Status::kNothing) {
    all.add({.name = "recovered", .value = "nothing"});
  }
  if (done.front) all.add({.name = "front", .value = *done.front ? Value(**done.front) : Value()});
  if (!report.warnings.empty()) all.add({.name = "warnings", .value = report.warnings});
  // A plan was made.
  if (report.memory > 0 && !report.error) {
    all.add({.name = "memory",
             .value = report.memory,
             .unit = Unit::kBytes,
             .label = "memory",
             .row = "at most {}"});
    all.add_bytes("disk_space", report.disk_space).label = "disk space";
    all.add({.name = ".size", .label = "size", .row = "{size_before:n} -> {size_after:n}"});
  }
  if ((report.dry_run || report.error) && !report.assessments.empty()) {
    all.add({.name = "strategies", .value = strategies_value(report)});
  }
  if (done.fetched) {
    all.add({.name = "bytes_fetched",
             .value = done.fetched->bytes,
             .unit = Unit::kBytes,
             .label = "fetched",
             .row = fetched_phrase(*done.fetched)});
    all.add({.name = "requests", .value = done.fetched->requests});
  }
}

Description describe(const FetchedReport& done) {
  const Report& report = done.report;
  const bool moved = report.status == Status::kMoved;
  const bool copied = moved || (report.status == Status::kAlready && report.bytes_written > 0);
  Description all(report.path);
  all.add({.name = "path", .value = report.path});
  all.add({.name = "status", .value = name_of(report.status), .phrase = status_phrase(report)});
  all.add({.name = "strategy", .value = strategy_name(report)});
  all.add_bytes("size_before", report.size_before);
  all.add_bytes("size_after", report.size_after);
  all.add({.name = "moov_size",
           .value = report.moov_size,
           .unit = Unit::kBytes,
           .label = "new moov",
           .row = report.co64_upgraded > 0
                      ? "{} ({moov_size:n} bytes, {co64_upgraded} tables become co64)"
                      : "{} ({moov_size:n} bytes)"});
  all.add_bytes("shift", report.shift).label = "shift";
  all.add_bytes("padding", report.padding).label = "padding";
  all.add({.name = "co64_upgraded", .value = report.co64_upgraded});
  all.add({.name = "bytes_read",
           .value = report.bytes_read,
           .unit = Unit::kBytes,
           .phrase = copied ? "{} read" : "",
           .always = true,
           .label = "reads"});
  all.add({.name = "bytes_written",
           .value = report.bytes_written,
           .unit = Unit::kBytes,
           .phrase = copied ? "{} written" : "",
           .always = true,
           .label = "writes"});
  if (done.fetched && (moved || report.status == Status::kAlready)) {
    all.add({.name = ".fetched",
             .value = done.fetched->bytes,
             .unit = Unit::kBytes,
             .phrase = "fetched " + fetched_phrase(*done.fetched),
             .always = true});
  }
  all.add({.name = "seconds",
           .value = report.seconds,
           .unit = Unit::kMilliseconds,
           .phrase = moved ? "{}" : "",
           .always = true});
  all.add({.name = "verified",
           .value = report.verified ? Value(*report.verified) : Value(),
           .phrase = "verified"});
  all.add({.name = "error", .value = error_json(report.error)});
  add_extras(done, all);
  return all;
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
  std::string text = line_of(fmt::format("{}: {}", done.report.path, strategy_name(done.report)));
  for (const std::string& row : rows_for(describe(done))) text += line_of("  " + row);
  return text + "  strategies\n" + strategies_text(done.report);
}

// For a dry run without a suitable strategy: the reasons.
std::string no_plan_text(const Report& report) {
  return line_of(fmt::format("{}: none", report.path)) + "  strategies\n" + strategies_text(report);
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
    print_line(Stream::kErr, line_for(describe(done)));
  }
}

void print_faststart_json(Stream stream, const std::vector<FetchedReport>& reports) {
  Document document{.list = "files"};
  std::vector<std::optional<Error>> errors;
  for (const FetchedReport& done : reports) {
    document.inputs.push_back(describe(done));
    errors.push_back(done.report.error);
  }
  add_outcome(document, exit_code_of_faststart(reports), errors);
  print_document(stream, document);
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
