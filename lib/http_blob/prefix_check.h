// Tells versions of a blob apart by their bytes, where the server says nothing to tell them by.
//
// Every answer is read from byte 0 then, and held against the answers before it. As long as they
// agree, all that has come is the beginning of what is coming: of one version.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shunt/base/mutex.h"

namespace shunt::http_blob {

// The chunks of one blob that have come so far, from byte 0. Thread-safe. Takes 8 bytes for each.
class SeenChunks {
 public:
  static constexpr std::uint64_t kSize = std::uint64_t{64} << 10;

  // Whether chunk number `index` has this hash, or comes for the first time.
  [[nodiscard]] bool agrees(std::uint64_t index, std::uint64_t hash);

 private:
  Mutex mutex_;
  std::vector<std::uint64_t> hashes_ SHUNT_GUARDED_BY(mutex_);  // XXH3
};

// The answers to one request and its repetitions. What came of the last chunk, incomplete, is held
// against its repetitions only.
class PrefixCheck {
 public:
  // `seen` is not owned; `size` is that of the blob.
  PrefixCheck(SeenChunks& seen, std::uint64_t size);

  // An answer begins, at byte 0.
  void begin();
  // What comes next of it. False: it differs from what came before.
  [[nodiscard]] bool take(std::span<const std::byte> bytes);

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  [[nodiscard]] std::uint64_t hash() const { return XXH3_64bits_digest(state_.get()); }

  SeenChunks& seen_;
  const std::uint64_t size_;
  std::unique_ptr<XXH3_state_t, Free> state_;  // of the chunk that is coming
  std::uint64_t at_ = 0;                       // of the next byte of the answer
  // How far the answers before it came, and the hash of their last chunk so far.
  std::uint64_t known_ = 0;
  std::uint64_t known_hash_ = 0;
};

}  // namespace shunt::http_blob
