#include "fetch_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/size_text.h"
#include "output.h"
#include "schemes.h"

namespace shunt::cli {
namespace {

constexpr std::size_t kShortDigest = sizeof("sha256:0123456789ab") - 1;

std::string count(std::uint64_t number, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", number, number == 1 ? one : several);
}

// "1.00 GiB, 12.0 MiB from the cache, 1012 MiB fetched in 9 requests, 3.2 s, verified"
std::string summary(const fetch::Report& report) {
  if (report.nothing_to_warm) return "local: nothing to warm";
  std::string text = format_size(report.bytes_requested);
  if (report.bytes_from_cache > 0) {
    text += fmt::format(", {} from the cache", format_size(report.bytes_from_cache));
  }
  if (report.requests > 0) {
    text += fmt::format(", {} fetched in {}", format_size(report.bytes_fetched),
                        count(report.requests, "request", "requests"));
  }
  if (report.retries > 0) text += ", " + count(report.retries, "retry", "retries");
  text += fmt::format(", {:.1f} s", report.seconds);
  if (report.verified) text += ", verified";
  // Which layer this was.
  if (report.is_part && !report.identity.empty()) {
    text += ", " + report.identity.substr(0, kShortDigest);
  }
  return text;
}

std::optional<Error> shown_error(const fetch::Report& report) {
  if (!report.error) return std::nullopt;
  if (!report.error->path.empty() && report.error->path != report.source) return report.error;
  return report.error->with_path(schemes().shown(report.source));
}

nlohmann::ordered_json to_json(const fetch::Report& report) {
  nlohmann::ordered_json json = {{"source", schemes().shown(report.source)},
                                 {"identity", text_or_null(report.identity)},
                                 {"size", report.size},
                                 {"bytes_requested", report.bytes_requested},
                                 {"bytes_from_cache", report.bytes_from_cache},
                                 {"bytes_fetched", report.bytes_fetched},
                                 {"requests", report.requests},
                                 {"retries", report.retries},
                                 {"seconds", report.seconds},
                                 {"verified", report.verified},
                                 {"error", error_json(shown_error(report))},
                                 {"data_requests", report.data_requests}};
  for (const ByteRange& range : report.missing) {
    json["missing"].push_back({{"begin", range.begin}, {"end", range.end}});
  }
  return json;
}

}  // namespace

void print_fetch_text(const Globals& globals, const fetch::Report& report) {
  if (const std::optional<Error> error = shown_error(report)) {
    print_error(globals, *error);
  } else if (!globals.quiet) {
    print_line(Stream::kErr,
               fmt::format("{}: {}", schemes().shown(report.source), summary(report)));
  }
}

void print_fetch_json(Stream stream, const fetch::Report& report) {
  nlohmann::ordered_json document = {{"schema_version", kSchemaVersion}};
  document.update(to_json(report));
  print_json(stream, document);
}

void print_warm_json(const std::vector<fetch::Report>& reports, int code) {
  nlohmann::ordered_json sources = nlohmann::ordered_json::array();
  std::vector<std::optional<Error>> errors;
  for (const fetch::Report& report : reports) {
    sources.push_back(to_json(report));
    errors.push_back(shown_error(report));
  }
  nlohmann::ordered_json json = {{"schema_version", kSchemaVersion},
                                 {"sources", std::move(sources)}};
  add_outcome(json, code, errors);
  print_json(Stream::kOut, json);
}

}  // namespace shunt::cli
