#include "cache_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <array>
#include <ctime>

#include "base/size_text.h"
#include "output.h"

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

// "part", "whole", "verified", "damaged"; and "pinned".
std::string state_text(const EntryStatus& entry) {
  std::string text = entry.damaged    ? "damaged"
                     : entry.verified ? "verified"
                     : entry.complete ? "whole"
                                      : "part";
  if (entry.pinned) text += ", pinned";
  return text;
}

nlohmann::ordered_json to_json(const EntryStatus& entry) {
  return {{"identity", text_or_null(entry.identity)},
          {"source", entry.source},
          {"size", entry.size},
          {"bytes_cached", entry.bytes_cached},
          {"complete", entry.complete},
          {"verified", entry.verified},
          {"pinned", entry.pinned},
          {"last_used", date_text(entry.last_used, "%Y-%m-%dT%H:%M:%SZ")},
          {"key", entry.key},
          {"allocated", entry.allocated},
          {"damaged", entry.damaged}};
}

nlohmann::ordered_json to_json(const Verified& verified) {
  const cache::VerifyReport& report = verified.report;
  return {{"identity", text_or_null(report.entry.identity)},
          {"source", report.entry.source},
          {"key", report.entry.key},
          {"size", report.entry.size},
          {"bytes_cached", report.entry.bytes_cached},
          {"complete", report.entry.complete},
          {"verified", report.entry.verified},
          {"blocks_checked", report.blocks_checked},
          {"blocks_bad", report.blocks_bad},
          {"digest_mismatch", report.digest_mismatch},
          {"damaged", report.damaged},
          {"error", error_json(verified.failure())}};
}

nlohmann::ordered_json document(std::string_view name, nlohmann::ordered_json content) {
  nlohmann::ordered_json json = {{"schema_version", kSchemaVersion}};
  json[std::string(name)] = std::move(content);
  return json;
}

}  // namespace

std::string name_of(const EntryStatus& entry) {
  return entry.source.empty() ? entry.key : entry.source;
}

// ---- ls and stat --------------------------------------------------------------------------------

void print_entries(const Globals& globals, const std::vector<EntryStatus>& entries) {
  if (globals.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const EntryStatus& entry : entries) list.push_back(to_json(entry));
    print_json(Stream::kOut, document("entries", std::move(list)));
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
  if (globals.json) {
    print_json(Stream::kOut, {{"schema_version", kSchemaVersion},
                              {"directory", totals.directory},
                              {"budget", totals.budget},
                              {"entries", totals.entries},
                              {"bytes_cached", totals.bytes_cached},
                              {"allocated", totals.allocated},
                              {"pinned", totals.pinned}});
    return;
  }
  print(Stream::kOut, line_of("directory   " + totals.directory) +
                          fmt::format("budget      {}\n"
                                      "entries     {}\n"
                                      "cached      {}\n"
                                      "allocated   {}\n"
                                      "pinned      {}\n",
                                      totals.budget == 0 ? "no limit" : format_size(totals.budget),
                                      totals.entries, format_size(totals.bytes_cached),
                                      format_size(totals.allocated), totals.pinned));
}

// ---- verify -------------------------------------------------------------------------------------

std::optional<Error> Verified::failure() const {
  if (error) return error;
  Error wrong;
  wrong.code = ErrorCode::kIntegrity;
  wrong.path = name_of(report.entry);
  wrong.operation = "verify";
  wrong.hint = "what was wrong has been taken out of the cache, and is fetched again when needed";
  if (report.damaged) {
    const std::string& disbelief = report.entry.disbelief;
    wrong.reason =
        disbelief.empty() ? "the entry cannot be read" : "the entry is not believed: " + disbelief;
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
  if (globals.quiet) return;
  const cache::VerifyReport& report = verified.report;
  print_line(Stream::kOut,
             fmt::format("{}: {} {} right{}", name_of(report.entry), report.blocks_checked,
                         report.blocks_checked == 1 ? "block is" : "blocks are",
                         report.entry.verified ? ", and so is the digest" : ""));
}

void print_verified_json(const std::vector<Verified>& all, int code) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::vector<std::optional<Error>> errors;
  for (const Verified& verified : all) {
    list.push_back(to_json(verified));
    errors.push_back(verified.failure());
  }
  nlohmann::ordered_json json = document("entries", std::move(list));
  add_outcome(json, code, errors);
  print_json(Stream::kOut, json);
}

// ---- gc, rm, pin, unpin -------------------------------------------------------------------------

void print_collected(const Globals& globals, std::uint64_t before, std::uint64_t after,
                     std::uint64_t wanted) {
  if (globals.json) {
    print_json(Stream::kOut, {{"schema_version", kSchemaVersion},
                              {"allocated_before", before},
                              {"allocated_after", after}});
  } else if (!globals.quiet) {
    print(Stream::kErr,
          fmt::format("{} before, {} now{}\n", format_size(before), format_size(after),
                      after > wanted ? "; what is pinned or in use stays" : ""));
  }
}

void print_changed_json(const std::vector<EntryStatus>& entries, const std::vector<Error>& errors,
                        int code) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const EntryStatus& entry : entries) {
    // One that is damaged is known by its key alone.
    list.push_back(entry.identity.empty() ? entry.key : entry.identity);
  }
  nlohmann::ordered_json json = document("entries", std::move(list));
  json["error"] = errors.empty() ? nlohmann::ordered_json() : error_json(errors.front());
  if (!errors.empty()) json["error"]["code"] = code;
  if (errors.size() > 1) {
    for (const Error& error : errors) json["errors"].push_back(error_json(error));
  }
  print_json(Stream::kOut, json);
}

}  // namespace shunt::cli
