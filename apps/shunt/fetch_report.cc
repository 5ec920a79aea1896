#include "fetch_report.h"

#include "output.h"
#include "report/description.h"
#include "report/text.h"
#include "schemes.h"

namespace shunt::cli {
namespace {

constexpr std::size_t kShortDigest = sizeof("sha256:0123456789ab") - 1;

std::optional<Error> shown_error(const fetch::Report& report) {
  if (!report.error) return std::nullopt;
  if (!report.error->path.empty() && report.error->path != report.source) return report.error;
  return report.error->with_path(schemes().shown(report.source));
}

// For example "1.00 GiB, 12.0 MiB from the cache, 1012 MiB fetched in 9 requests, 3.2 s, verified".
Description describe(const fetch::Report& report) {
  const std::string source = schemes().shown(report.source);
  const bool warmed = !report.nothing_to_warm;
  Description all(source);
  all.add({.name = "source", .value = source});
  all.add_text("identity", report.identity);
  all.add_bytes("size", report.size);
  all.add({.name = "bytes_requested",
           .value = report.bytes_requested,
           .unit = Unit::kBytes,
           .phrase = warmed ? "{}" : "local: nothing to warm",
           .always = true});
  all.add_bytes("bytes_from_cache", report.bytes_from_cache).phrase =
      warmed ? "{} from the cache" : "";
  all.add_bytes("bytes_fetched", report.bytes_fetched);
  all.add({.name = "requests",
           .value = report.requests,
           .phrase = warmed ? "{bytes_fetched} fetched in {} " +
                                  noun_for(report.requests, "request", "requests")
                            : ""});
  all.add({.name = "retries",
           .value = report.retries,
           .phrase = warmed ? "{} " + noun_for(report.retries, "retry", "retries") : ""});
  all.add({.name = "seconds",
           .value = report.seconds,
           .unit = Unit::kSeconds,
           .phrase = warmed ? "{}" : "",
           .always = true});
  all.add({.name = "verified", .value = report.verified, .phrase = warmed ? "verified" : ""});
  // The digest of the layer.
  if (report.is_part && warmed) {
    all.add({.name = ".part", .value = report.identity.substr(0, kShortDigest), .phrase = "{}"});
  }
  all.add({.name = "error", .value = error_json(shown_error(report))});
  all.add({.name = "data_requests", .value = report.data_requests});
  if (!report.missing.empty()) {
    Value missing = Value::array();
    for (const ByteRange& range : report.missing) {
      missing.push_back({{"begin", range.begin}, {"end", range.end}});
    }
    all.add({.name = "missing", .value = std::move(missing)});
  }
  return all;
}

}  // namespace

void print_fetch_text(const Globals& globals, const fetch::Report& report) {
  if (const std::optional<Error> error = shown_error(report)) {
    print_error(globals, *error);
  } else if (!globals.quiet) {
    print_line(Stream::kErr, line_for(describe(report)));
  }
}

void print_fetch_json(Stream stream, const fetch::Report& report) {
  print_document(stream, {.whole = describe(report)});
}

void print_warm_json(const std::vector<fetch::Report>& reports, int code) {
  Document document{.list = "sources"};
  std::vector<std::optional<Error>> errors;
  for (const fetch::Report& report : reports) {
    document.inputs.push_back(describe(report));
    errors.push_back(shown_error(report));
  }
  add_outcome(document, code, errors);
  print_document(Stream::kOut, document);
}

}  // namespace shunt::cli
