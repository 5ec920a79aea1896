// What faststart only reads: files, standard input, and what lies on servers.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "faststart/faststart.h"
#include "faststart_report.h"
#include "fetch/session.h"
#include "globals.h"
#include "io/counters.h"
#include "io/source.h"

namespace shunt::cli {

// Not thread-safe. It outlives what it has opened.
class FaststartInput {
 public:
  explicit FaststartInput(const Globals& globals) : globals_(globals) {}

  // Standard input is spooled. `counters` counts what is read of it, or of a file; may be null.
  Result<io::SourcePtr> open(const std::string& name, faststart::Reading reading,
                             io::Counters* counters = nullptr);

  // What has been downloaded for the last that was opened; nullopt when that is local.
  [[nodiscard]] std::optional<Fetched> fetched() const;

 private:
  const Globals& globals_;
  std::optional<fetch::Session> session_;  // once something remote was opened
  std::optional<fetch::Opened> opened_;    // the last, when it is remote
};

}  // namespace shunt::cli
