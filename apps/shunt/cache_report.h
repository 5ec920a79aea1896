// What the cache holds, and what became of its entries, as text or as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "globals.h"
#include "output.h"
#include "shunt/cache/cache.h"

namespace shunt::cli {

// What people call an entry: its source; its key where that cannot be read.
[[nodiscard]] std::string name_of(const cache::EntryStatus& entry);

void print_entries(const Globals& globals, const std::vector<cache::EntryStatus>& entries);

struct CacheTotals {
  std::string directory;
  std::uint64_t budget = 0;  // bytes; 0: no limit
  std::uint64_t entries = 0;
  std::uint64_t bytes_cached = 0;
  std::uint64_t allocated = 0;
  std::uint64_t pinned = 0;  // of the entries
};
[[nodiscard]] CacheTotals totals_of(const std::vector<cache::EntryStatus>& entries);
void print_totals(const Globals& globals, const CacheTotals& totals);

// One entry that was looked at: the report, or why there is none.
struct Verified {
  cache::VerifyReport report;  // its `entry` is always there
  std::optional<Error> error;

  // kIntegrity where something was wrong with it; the error otherwise.
  [[nodiscard]] std::optional<Error> failure() const;
};
// Text for one, as it is done; what was wrong to standard error.
void print_verified_text(const Globals& globals, const Verified& verified);
void print_verified_json(const std::vector<Verified>& all, int code);

// After gc: what all together were and are allocated, and what was asked for.
void print_collected(const Globals& globals, std::uint64_t before, std::uint64_t after,
                     std::uint64_t wanted);

// After rm, pin and unpin: the entries it was done to, and the names for which it was not.
void print_changed_json(const std::vector<cache::EntryStatus>& entries,
                        const std::vector<Error>& errors, int code);

}  // namespace shunt::cli
