// The inputs that faststart only reads: files, standard input, remote Sources.
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

// One thread. Outlives what it has opened.
class FaststartInput {
 public:
  // `layer` is for images, otherwise empty (see source::Session::open).
  FaststartInput(const Globals& globals, std::string layer)
      : globals_(globals), layer_(std::move(layer)) {}

  // Opens an input; spools standard input. `counters`, which may be null, counts what is read of
  // standard input or a file.
  Result<io::SourcePtr> open(const std::string& name, faststart::Reading reading,
                             io::Counters* counters = nullptr);

  // Returns what has been downloaded for the last opened input; nullopt if it is local.
  [[nodiscard]] std::optional<Fetched> fetched() const;
  // Returns the Progress to which reading the last input reports, so that `to` can tell cached
  // bytes; `to` itself if the input is local or `to` is null.
  [[nodiscard]] Progress* progress(Progress* to);

 private:
  const Globals& globals_;
  std::string layer_;
  std::optional<source::Session> session_;  // created for the first remote input
  std::optional<source::Opened> opened_;    // the last input, if remote
  std::optional<fetch::DownloadProgress> progress_;
};

}  // namespace shunt::cli
