// An in-process server: a blob of noise whose delays, faults and behaviour a test decides.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "shunt/blob/origin.h"

namespace shunt::test {

// Fills `into` with the blob `seed` from `offset` on. No two blocks are equal.
void fill_noise(std::uint64_t seed, std::uint64_t offset, std::span<std::byte> into);
[[nodiscard]] bool is_noise(std::uint64_t seed, std::uint64_t offset,
                            std::span<const std::byte> bytes);
[[nodiscard]] std::string noise_digest(std::uint64_t seed, std::uint64_t size);  // "sha256:…"

struct OriginScript {
  std::uint64_t seed = 1;
  std::size_t chunk = 32 << 10;                // bytes per chunk
  std::chrono::microseconds latency{0};        // from a request to its first chunk
  std::chrono::microseconds pause{0};          // between the chunks of a download
  std::uint64_t stall = UINT64_MAX;            // no byte from here on comes for an hour
  bool everything = false;                     // send the whole blob, whatever is requested
  double says_latency = 0;                     // returned by latency()
  double says_rate = 0;                        // returned by rate()
  std::atomic<std::uint64_t>* sent = nullptr;  // counts bytes; may lie in shared memory
  // Called before each chunk, with the number of the request (from 1). An error ends the download.
  std::function<std::optional<Error>(unsigned request, std::uint64_t offset)> fault;
};

// Delivers on its own thread, one chunk of each download in turn. Must be created after a fork.
class ScriptedOrigin final : public blob::Origin {
 public:
  ScriptedOrigin(blob::Info info, OriginScript script);
  ~ScriptedOrigin() override;

  [[nodiscard]] const blob::Info& info() const override { return info_; }
  [[nodiscard]] std::unique_ptr<blob::Download> start(ByteRange range,
                                                      blob::Receiver& receiver) override;
  [[nodiscard]] bool serves_ranges() const override { return serves_ranges_; }
  [[nodiscard]] bool has_changed() const override { return changed_; }
  [[nodiscard]] double latency() const override { return script_.says_latency; }
  [[nodiscard]] double rate() const override { return script_.says_rate; }
  [[nodiscard]] blob::Traffic traffic() const override;

  void change() { changed_ = true; }
  [[nodiscard]] std::vector<ByteRange> requests() const;
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t under_way() const;

 private:
  struct Flow;
  class Handle;
  void run();
  [[nodiscard]] bool ready(Flow& flow, std::size_t bytes);
  // Delivers a chunk, or ends the flow; returns true if it has ended.
  bool step(Flow& flow);

  const blob::Info info_;
  const OriginScript script_;
  std::atomic<bool> serves_ranges_{true};
  std::atomic<bool> changed_{false};
  std::atomic<std::uint64_t> bytes_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_state_;
  std::list<std::shared_ptr<Flow>> flows_;
  const Flow* current_ = nullptr;
  std::vector<ByteRange> requests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace shunt::test
