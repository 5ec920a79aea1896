// Telling apart, while bytes are delivered, what was downloaded from what the cache had.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "shunt/base/mutex.h"
#include "shunt/base/progress.h"
#include "shunt/io/source.h"

namespace shunt::fetch {

// Hands on to `to`, and of what was delivered says which part had to be downloaded by this Source,
// and which did not (Progress::skip). Thread-safe.
class DownloadProgress final : public Progress {
 public:
  // Neither may be null; `to` is not owned, `from` is far away.
  DownloadProgress(Progress* to, io::SourcePtr from);

  void begin(std::string_view what, std::uint64_t total) override;
  void advance(std::uint64_t bytes) override;
  void skip(std::uint64_t bytes) override;

 private:
  Progress* const to_;
  const io::SourcePtr from_;
  Mutex mutex_;
  std::uint64_t handed_on_ SHUNT_GUARDED_BY(mutex_) = 0;  // of what was downloaded
};

}  // namespace shunt::fetch
