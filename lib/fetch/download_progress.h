// Distinguishes downloaded from cached bytes in the progress of a delivery.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "shunt/base/mutex.h"
#include "shunt/base/progress.h"
#include "shunt/io/source.h"

namespace shunt::fetch {

// Forwards to `to`. Of the delivered bytes, those that this Source had to download are passed to
// advance(), the others to skip(). Thread-safe.
class DownloadProgress final : public Progress {
 public:
  // Neither may be null. `to` is not owned and outlives it; `from` has a FarAway.
  DownloadProgress(Progress* to, io::SourcePtr from);

  void begin(std::string_view what, std::uint64_t total) override;
  void advance(std::uint64_t bytes) override;
  void skip(std::uint64_t bytes) override;

 private:
  Progress* const to_;
  const io::SourcePtr from_;
  Mutex mutex_;
  std::uint64_t handed_on_ SHUNT_GUARDED_BY(mutex_) = 0;  // downloaded bytes already reported
};

}  // namespace shunt::fetch
