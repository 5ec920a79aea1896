// Warm random reads of 4 KiB through a CachedSource, beside pread on a file with the same bytes.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include "shunt/cache/cache.h"
#include "shunt/cache/cached_source.h"
#include "support/temp_dir.h"

namespace {

using namespace shunt;

constexpr std::uint64_t kSize = std::uint64_t{1} << 30;
constexpr std::size_t kRead = 4096;

// One blob, in the cache and as a plain file; made once.
struct Blob {
  test::TempDir dir;
  std::shared_ptr<cache::Cache> cache;
  io::File plain;
  blob::Info info;

  Blob() {
    cache = cache::Cache::open(dir.file("cache"), 0).value();
    plain = io::File::create(dir.file("plain")).value();
    info.name = "blob";
    info.validator = "\"1\"";
    info.size = kSize;
    const auto entry = cache->find_or_create("blob", "blob", info).value();
    std::vector<std::byte> block(static_cast<std::size_t>(entry->block_size()));
    std::mt19937_64 random(1);
    for (std::uint64_t i = 0; i < kSize / block.size(); ++i) {
      const std::uint64_t mark = random();
      for (std::size_t at = 0; at < block.size(); at += 4096) {
        std::memcpy(block.data() + at, &mark, sizeof mark);
      }
      if (!entry->put(i, block)) throw std::runtime_error("put");
      if (!plain.write_at(i * block.size(), block)) throw std::runtime_error("write");
    }
  }
};

Blob& blob() {
  static Blob made;
  return made;
}

std::uint64_t somewhere(std::mt19937_64& random) {
  return random() % (kSize / kRead) * kRead;
}

void pread_file(benchmark::State& state) {
  const io::File& file = blob().plain;
  std::mt19937_64 random(2);
  std::array<std::byte, kRead> into{};
  for (auto _ : state) {
    if (file.read_at(somewhere(random), into).value() != kRead) state.SkipWithError("short");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRead));
}
BENCHMARK(pread_file)->UseRealTime();

void cached_source(benchmark::State& state) {
  cache::SourceOptions options;
  options.offline = true;
  const cache::CachedSource source(blob().cache->find("blob").value(), nullptr, blob().info,
                                   options);
  std::mt19937_64 random(2);
  std::array<std::byte, kRead> into{};
  for (auto _ : state) {
    if (source.read_at(somewhere(random), into, io::Caching::kKeep).value() != kRead) {
      state.SkipWithError("short");
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRead));
}
BENCHMARK(cached_source)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
