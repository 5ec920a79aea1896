// Tells versions of a blob apart by their bytes, if the server sends nothing else to tell them by.
//
// Every answer is then read from byte 0 and compared with earlier answers. As long as they agree,
// everything so far is of the same version.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shunt/base/mutex.h"

namespace shunt::http_blob {

// Hashes of the chunks of one blob seen so far, from byte 0. Thread-safe. Takes 8 bytes per chunk.
class SeenChunks {
 public:
  static constexpr std::uint64_t kSize = std::uint64_t{64} << 10;

  // Returns true if chunk `index` has this hash, or is seen for the first time.
  [[nodiscard]] bool agrees(std::uint64_t index, std::uint64_t hash);

 private:
  Mutex mutex_;
  std::vector<std::uint64_t> hashes_ SHUNT_GUARDED_BY(mutex_);  // XXH3
};

// Checks the answers to one request and its repetitions. An incomplete last chunk is compared only
// with later repetitions.
class PrefixCheck {
 public:
  // `seen` is not owned; `size` is the size of the blob in bytes.
  PrefixCheck(SeenChunks& seen, std::uint64_t size);

  // Begins an answer, at byte 0.
  void begin();
  // Checks its next bytes. Returns false if they differ from what came before.
  [[nodiscard]] bool take(std::span<const std::byte> bytes);

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  [[nodiscard]] std::uint64_t hash() const { return XXH3_64bits_digest(state_.get()); }

  SeenChunks& seen_;
  const std::uint64_t size_;
  std::unique_ptr<XXH3_state_t, Free> state_;  // of the current chunk
  std::uint64_t at_ = 0;                       // offset of the next byte of the answer
  // How far earlier answers got, in bytes, and the hash of their last, incomplete chunk.
  std::uint64_t known_ = 0;
  std::uint64_t known_hash_ = 0;
};

}  // namespace shunt::http_blob
