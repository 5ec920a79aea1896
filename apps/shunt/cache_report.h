// The content of the cache, and results of `shunt cache`, as text or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "globals.h"
#include "output.h"
#include "shunt/cache/cache.h"

namespace shunt::cli {

// Returns the display name of an entry: its source, or its key if the source cannot be read.
[[nodiscard]] std::string name_of(const cache::EntryStatus& entry);

void print_entries(const Globals& globals, const std::vector<cache::EntryStatus>& entries);

struct CacheTotals {
  std::string directory;
  std::uint64_t budget = 0;  // bytes; 0: no limit
  std::uint64_t entries = 0;
  std::uint64_t bytes_cached = 0;
  std::uint64_t allocated = 0;
  std::uint64_t pinned = 0;  // number of pinned entries
};
[[nodiscard]] CacheTotals totals_of(const std::vector<cache::EntryStatus>& entries);
void print_totals(const Globals& globals, const CacheTotals& totals);

// One verified entry: the report, or the error.
struct Verified {
  cache::VerifyReport report;  // its `entry` is always set
  std::optional<Error> error;

  // Returns the error, or kIntegrity if something was wrong with the entry.
  [[nodiscard]] std::optional<Error> failure() const;
};
// Prints the text for one entry; problems go to standard error.
void print_verified_text(const Globals& globals, const Verified& verified);
void print_verified_json(const std::vector<Verified>& all, int code);

// Prints the result of gc: allocated bytes before and after, and the requested limit.
void print_collected(const Globals& globals, std::uint64_t before, std::uint64_t after,
                     std::uint64_t wanted);

// Prints the result of rm, pin and unpin: the changed entries, and an error for each other name.
void print_changed_json(const std::vector<cache::EntryStatus>& entries,
                        const std::vector<Error>& errors, int code);

}  // namespace shunt::cli
