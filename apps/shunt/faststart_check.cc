#include "faststart_check.h"

#include <fmt/format.h>

#include "exit_code.h"
#include "faststart_input.h"
#include "faststart_report.h"
#include "output.h"
#include "schemes.h"
#include "shunt/faststart/faststart.h"
#include "shunt/source/session.h"

namespace shunt::cli {
namespace {

using faststart::Report;
using faststart::Status;

FetchedReport check_one(FaststartInput& input, const std::string& path) {
  const auto ask = [&]() -> Result<Report> {
    SHUNT_ASSIGN(const io::SourcePtr source, input.open(path, faststart::Reading::kHeadersOnly));
    SHUNT_ASSIGN(const bool in_front, faststart::moov_is_in_front(source));
    Report report;
    report.path = schemes().shown(path);
    report.status = in_front ? Status::kAlready : Status::kPlanned;
    report.size_before = report.size_after = source->size();
    return report;
  };
  const Result<Report> report = ask();
  FetchedReport checked;
  checked.front.emplace();
  if (report) {
    checked.report = *report;
    checked.front->emplace(report->status == Status::kAlready);
  } else {
    checked.report = failed_faststart(schemes().shown(path), report.error());
  }
  checked.fetched = input.fetched();
  return checked;
}

}  // namespace

int check_faststart(const Globals& globals, const std::vector<std::string>& files,
                    const std::string& layer) {
  FaststartInput input(globals, layer);
  std::vector<FetchedReport> reports;
  bool all_in_front = true;
  for (const std::string& path : files) {
    reports.push_back(check_one(input, path));
    const Report& report = reports.back().report;
    if (report.status == Status::kPlanned) all_in_front = false;
    if (globals.json) continue;
    if (report.status == Status::kFailed) {
      print_error(globals, *report.error);
    } else if (!globals.quiet) {
      print_line(Stream::kOut,
                 fmt::format("{}: {}", report.path,
                             report.status == Status::kAlready ? "moov is in front of the media"
                                                               : "moov is behind the media"));
    }
  }
  if (globals.json) print_faststart_json(Stream::kOut, reports);
  const int code = exit_code_of_faststart(reports);
  if (code != kDone) return code;
  return all_in_front ? kDone : kFailed;
}

}  // namespace shunt::cli
