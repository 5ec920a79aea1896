// Holding what is delivered against the digest of the whole blob.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_range.h"
#include "base/cancel.h"
#include "base/progress.h"
#include "base/result.h"
#include "fetch/deliver.h"
#include "fetch/session.h"
#include "io/sha256.h"
#include "io/source.h"

namespace shunt::fetch {

// Of a blob whose bytes go by in order. Takes nothing in where there is no digest, or where
// `ranges` are not all of it. One thread at a time.
class PassingDigest {
 public:
  // `opened` is not owned.
  PassingDigest(const Opened& opened, const std::vector<ByteRange>& ranges);

  [[nodiscard]] bool wanted() const { return whole_; }
  // How much of the blob has gone by.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  void update(std::span<const std::byte> bytes) {
    if (!whole_) return;
    sha_.update(bytes);
    position_ += bytes.size();
  }
  // The same, of bytes that lie in a Source or a File.
  template <typename Readable>
  Result<void> update_from(const Readable& from, ByteRange range, const CancelToken* cancel);
  // Whether the blob has been verified; kIntegrity when it does not match.
  [[nodiscard]] Result<bool> finish() const;

 private:
  const Opened& opened_;
  bool whole_;
  io::Sha256 sha_;
  std::uint64_t position_ = 0;
};

// The digest of what is local, or lies in a file that has been written. False: there is none.
template <typename Readable>
Result<bool> verify_bytes(const Opened& opened, const Readable& from, const CancelToken* cancel);

// Holds a cached blob against its digest once all of it is there.
Result<Delivered> verify_whole(const Opened& opened, Progress* progress);

template <typename Readable>
Result<void> PassingDigest::update_from(const Readable& from, ByteRange range,
                                        const CancelToken* cancel) {
  if (!whole_) return {};
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(std::uint64_t{1} << 20, range.size())));
  while (!range.empty()) {
    if (cancel != nullptr) SHUNT_TRY(cancel->check());
    const auto part = std::span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.size())));
    SHUNT_ASSIGN(const std::size_t got, from.read_at(range.begin, part, io::Caching::kKeep));
    if (got == 0) return corrupt("it ends too early", range.begin).with_path(opened_.name);
    update(part.first(got));
    range.begin += got;
  }
  return {};
}

template <typename Readable>
Result<bool> verify_bytes(const Opened& opened, const Readable& from, const CancelToken* cancel) {
  const ByteRange whole{0, opened.source->size()};
  PassingDigest digest(opened, {whole});
  SHUNT_TRY(digest.update_from(from, whole, cancel));
  return digest.finish();
}

}  // namespace shunt::fetch
