#include "shunt/fetch/download_progress.h"

#include <algorithm>
#include <utility>

#include "shunt/io/far_away.h"

namespace shunt::fetch {

DownloadProgress::DownloadProgress(Progress* to, io::SourcePtr from)
    : to_(to), from_(std::move(from)) {}

void DownloadProgress::begin(std::string_view what, std::uint64_t total) {
  to_->begin(what, total);
}

// More than was delivered may have been downloaded, in whole blocks and ahead of time; it counts
// when it is delivered.
void DownloadProgress::advance(std::uint64_t bytes) {
  const std::uint64_t fetched = from_->far_away()->bytes_fetched();
  std::uint64_t downloaded = 0;
  {
    const Lock lock(mutex_);
    downloaded = std::min(bytes, fetched - std::min(fetched, handed_on_));
    handed_on_ += downloaded;
  }
  if (downloaded > 0) to_->advance(downloaded);
  if (downloaded < bytes) to_->skip(bytes - downloaded);
}

void DownloadProgress::skip(std::uint64_t bytes) {
  to_->skip(bytes);
}

}  // namespace shunt::fetch
