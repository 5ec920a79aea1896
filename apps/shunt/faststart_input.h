// What faststart only reads: files, standard input, and what lies on servers.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "faststart_report.h"
#include "globals.h"
#include "shunt/base/progress.h"
#include "shunt/base/result.h"
#include "shunt/faststart/faststart.h"
#include "shunt/fetch/download_progress.h"
#include "shunt/io/counters.h"
#include "shunt/io/source.h"
#include "shunt/source/session.h"

namespace shunt::cli {

// Not thread-safe. It outlives what it has opened.
class FaststartInput {
 public:
  // `layer` is for images, and empty otherwise (see source::Session::open).
  FaststartInput(const Globals& globals, std::string layer)
      : globals_(globals), layer_(std::move(layer)) {}

  // Standard input is spooled. `counters` counts what is read of it, or of a file; may be null.
  Result<io::SourcePtr> open(const std::string& name, faststart::Reading reading,
                             io::Counters* counters = nullptr);

  // What has been downloaded for the last that was opened; nullopt when that is local.
  [[nodiscard]] std::optional<Fetched> fetched() const;
  // What reading the last one is reported to, so that `to` hears what was in the cache; `to` itself
  // for what is local, and null.
  [[nodiscard]] Progress* progress(Progress* to);

 private:
  const Globals& globals_;
  std::string layer_;
  std::optional<source::Session> session_;  // once something remote was opened
  std::optional<source::Opened> opened_;    // the last, when it is remote
  std::optional<fetch::DownloadProgress> progress_;
};

}  // namespace shunt::cli
