#include "cache_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "output.h"
#include "report/description.h"
#include "report/text.h"
#include "shunt/text/size_text.h"

namespace shunt::cli {
namespace {

using cache::EntryStatus;

std::string date_text(std::int64_t seconds, const char* format) {
  const std::time_t time = seconds;
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "?";
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

// Returns "part", "whole", "verified" or "damaged", with "pinned" if it is.
std::string state_text(const EntryStatus& entry) {
  std::string text = entry.damaged    ? "damaged"
                     : entry.verified ? "verified"
                     : entry.complete ? "whole"
                                      : "part";
  if (entry.pinned) text += ", pinned";
  return text;
}

Description describe(const EntryStatus& entry) {
  Description all;
  all.add_text("identity", entry.identity);
  all.add({.name = "source", .value = entry.source});
  all.add_bytes("size", entry.size);
  all.add_bytes("bytes_cached", entry.bytes_cached);
  all.add({.name = "complete", .value = entry.complete});
  all.add({.name = "verified", .value = entry.verified});
  all.add({.name = "pinned", .value = entry.pinned});
  all.add({.name = "last_used", .value = date_text(entry.last_used, "%Y-%m-%dT%H:%M:%SZ")});
  all.add({.name = "key", .value = entry.key});
  all.add_bytes("allocated", entry.allocated);
  all.add({.name = "damaged", .value = entry.damaged});
  return all;
}

Description describe(const Verified& verified) {
  const cache::VerifyReport& report = verified.report;
  Description all(name_of(report.entry));
  all.add_text("identity", report.entry.identity);
  all.add({.name = "source", .value = report.entry.source});
  all.add({.name = "key", .value = report.entry.key});
  all.add_bytes("size", report.entry.size);
  all.add_bytes("bytes_cached", report.entry.bytes_cached);
  all.add({.name = "complete", .value = report.entry.complete});
  all.add({.name = "verified", .value = report.entry.verified});
  all.add({.name = "blocks_checked",
           .value = report.blocks_checked,
           .phrase = "{} " + noun_for(report.blocks_checked, "block", "blocks") + " ok",
           .always = true});
  all.add({.name = ".digest", .value = report.entry.verified, .phrase = "digest ok"});
  all.add({.name = "blocks_bad", .value = report.blocks_bad});
  all.add({.name = "digest_mismatch", .value = report.digest_mismatch});
  all.add({.name = "damaged", .value = report.damaged});
  all.add({.name = "error", .value = error_json(verified.failure())});
  return all;
}

}  // namespace

std::string name_of(const EntryStatus& entry) {
  return entry.source.empty() ? entry.key : entry.source;
}

// ---- ls and stat --------------------------------------------------------------------------------

void print_entries(const Globals& globals, const std::vector<EntryStatus>& entries) {
  if (globals.json) {
    Document document{.list = "entries"};
    for (const EntryStatus& entry : entries) document.inputs.push_back(describe(entry));
    print_document(Stream::kOut, document);
    return;
  }
  if (entries.empty()) {
    if (!globals.quiet) print(Stream::kErr, "the cache is empty\n");
    return;
  }
  const bool color = globals.colored(STDOUT_FILENO);
  std::string text = line_of(fmt::format("{:>10}  {:>10}  {:16}  {:16}  SOURCE", "SIZE", "CACHED",
                                         "STATE", "LAST USED (UTC)"),
                             color ? "\033[1m" : "");
  for (const EntryStatus& entry : entries) {
    text += line_of(fmt::format("{:>10}  {:>10}  {:16}  {:16}  {}", format_size(entry.size),
                                format_size(entry.bytes_cached), state_text(entry),
                                date_text(entry.last_used, "%Y-%m-%d %H:%M"), name_of(entry)),
                    color && entry.damaged ? "\033[31m" : "");
  }
  print(Stream::kOut, text);
}

CacheTotals totals_of(const std::vector<EntryStatus>& entries) {
  CacheTotals totals;
  for (const EntryStatus& entry : entries) {
    ++totals.entries;
    totals.bytes_cached += entry.bytes_cached;
    totals.allocated += entry.allocated;
    totals.pinned += entry.pinned ? 1 : 0;
  }
  return totals;
}

void print_totals(const Globals& globals, const CacheTotals& totals) {
  Description all;
  all.add({.name = "directory", .value = totals.directory, .label = "directory"});
  all.add({.name = "budget",
           .value = totals.budget,
           .unit = Unit::kBytes,
           .label = "budget",
           .row = totals.budget == 0 ? "no limit" : "{}"});
  all.add({.name = "entries", .value = totals.entries, .label = "entries"});
  all.add_bytes("bytes_cached", totals.bytes_cached).label = "cached";
  all.add(
      {.name = "allocated", .value = totals.allocated, .unit = Unit::kBytes, .label = "allocated"});
  all.add({.name = "pinned", .value = totals.pinned, .label = "pinned"});
  if (globals.json) {
    print_document(Stream::kOut, {.whole = std::move(all)});
    return;
  }
  for (const std::string& row : rows_for(all)) print_line(Stream::kOut, row);
}

// ---- verify -------------------------------------------------------------------------------------

std::optional<Error> Verified::failure() const {
  if (error) return error;
  Error wrong;
  wrong.code = ErrorCode::kIntegrity;
  wrong.path = name_of(report.entry);
  wrong.operation = "verify";
  wrong.hint = "corrupt data was removed from the cache, and is fetched again when needed";
  if (report.damaged) {
    const std::string& disbelief = report.entry.disbelief;
    wrong.reason =
        disbelief.empty() ? "the entry cannot be read" : "the entry is not trusted: " + disbelief;
  } else if (report.digest_mismatch) {
    wrong.reason = "the digest does not match";
  } else if (report.blocks_bad > 0) {
    wrong.reason = fmt::format("{} of {} blocks do not match their checksums", report.blocks_bad,
                               report.blocks_checked);
  } else {
    return std::nullopt;
  }
  return wrong;
}

void print_verified_text(const Globals& globals, const Verified& verified) {
  if (const std::optional<Error> failure = verified.failure()) {
    print_error(globals, *failure);
    return;
  }
  if (!globals.quiet) print_line(Stream::kOut, line_for(describe(verified)));
}

void print_verified_json(const std::vector<Verified>& all, int code) {
  Document document{.list = "entries"};
  std::vector<std::optional<Error>> errors;
  for (const Verified& verified : all) {
    document.inputs.push_back(describe(verified));
    errors.push_back(verified.failure());
  }
  add_outcome(document, code, errors);
  print_document(Stream::kOut, document);
}

// ---- gc, rm, pin, unpin -------------------------------------------------------------------------

void print_collected(const Globals& globals, std::uint64_t before, std::uint64_t after,
                     std::uint64_t wanted) {
  Description all;
  all.add({.name = "allocated_before",
           .value = before,
           .unit = Unit::kBytes,
           .phrase = "{} before",
           .always = true});
  all.add({.name = "allocated_after",
           .value = after,
           .unit = Unit::kBytes,
           .phrase = after > wanted ? "{} now; entries pinned or in use stay" : "{} now",
           .always = true});
  if (globals.json) {
    print_document(Stream::kOut, {.whole = std::move(all)});
  } else if (!globals.quiet) {
    print_line(Stream::kErr, line_for(all));
  }
}

void print_changed_json(const std::vector<EntryStatus>& entries, const std::vector<Error>& errors,
                        int code) {
  Value list = Value::array();
  for (const EntryStatus& entry : entries) {
    // A damaged entry is known only by its key.
    list.push_back(entry.identity.empty() ? entry.key : entry.identity);
  }
  Value error;
  Value all_errors = Value::array();
  for (const Error& one : errors) all_errors.push_back(error_json(one));
  if (!errors.empty()) {
    error = all_errors.front();
    error["code"] = code;
  }
  Document document;
  document.whole.add({.name = "entries", .value = std::move(list)});
  document.whole.add({.name = "error", .value = std::move(error)});
  if (errors.size() > 1) document.whole.add({.name = "errors", .value = std::move(all_errors)});
  print_document(Stream::kOut, document);
}

}  // namespace shunt::cli
