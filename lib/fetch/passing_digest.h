// Holding what is delivered against the digest of the whole blob.
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

// Of a blob whose bytes go by in order. Takes nothing in where there is no digest, or where
// `ranges` are not all of it. One thread at a time.
class PassingDigest {
 public:
  // `opened` is not owned.
  PassingDigest(const source::Opened& opened, const std::vector<ByteRange>& ranges);

  [[nodiscard]] bool wanted() const { return sha_.has_value(); }
  // How much of the blob has gone by.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  void update(std::span<const std::byte> bytes) {
    if (!sha_) return;
    sha_->update(bytes);
    position_ += bytes.size();
  }
  // The same, of bytes that lie in a Source.
  Result<void> update_from(const io::Source& from, ByteRange range, const CancelToken* cancel);
  // Whether the blob has been verified; kIntegrity when it does not match.
  [[nodiscard]] Result<bool> finish() const;

 private:
  const source::Opened& opened_;
  std::optional<io::Sha256> sha_;  // none: nothing to compare with
  std::uint64_t position_ = 0;
};

// The digest of what is local, or lies in a file that has been written. False: there is none.
Result<bool> verify_bytes(const source::Opened& opened, const io::Source& from,
                          const CancelToken* cancel);

// Holds a cached blob against its digest once all of it is there.
Result<Delivered> verify_whole(const source::Opened& opened, const Context& context);

}  // namespace shunt::fetch
