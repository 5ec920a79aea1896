// Checks what is delivered against the digest of the whole blob.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "shunt/base/byte_range.h"
#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/fetch/deliver.h"
#include "shunt/io/sha256.h"
#include "shunt/io/source.h"
#include "shunt/source/session.h"

namespace shunt::fetch {

// For a blob whose bytes pass in order. Does nothing if there is no digest, or if `ranges` are not
// the whole blob. One thread at a time.
class PassingDigest {
 public:
  // `opened` is not owned and outlives it.
  PassingDigest(const source::Opened& opened, const std::vector<ByteRange>& ranges);

  [[nodiscard]] bool wanted() const { return sha_.has_value(); }
  // Number of bytes of the blob that have passed.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  void update(std::span<const std::byte> bytes) {
    if (!sha_) return;
    sha_->update(bytes);
    position_ += bytes.size();
  }
  // Same, for bytes that lie in a Source.
  Result<void> update_from(const io::Source& from, ByteRange range, const CancelToken* cancel);
  // Returns true if the blob was verified; kIntegrity if it does not match.
  [[nodiscard]] Result<bool> finish() const;

 private:
  const source::Opened& opened_;
  std::optional<io::Sha256> sha_;  // empty: nothing to compare with
  std::uint64_t position_ = 0;
};

// Checks the digest of a local Source, or of a file that has been written. Returns false if there
// is no digest.
Result<bool> verify_bytes(const source::Opened& opened, const io::Source& from,
                          const CancelToken* cancel);

// Checks a cached blob against its digest once all of it is there.
Result<Delivered> verify_whole(const source::Opened& opened, const Context& context);

}  // namespace shunt::fetch
