// How fast a moov is patched as it streams: planning, and reading the patched moov, of a movie with
// several million chunks. SHUNT_BENCH_MIB sets its size (default 200).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "shunt/faststart/plan.h"
#include "shunt/faststart/strategies/table.h"
#include "support/recipes.h"
#include "support/temp_dir.h"

namespace {

using namespace shunt;

std::uint64_t mebibytes() {
  const char* const text = std::getenv("SHUNT_BENCH_MIB");
  return text != nullptr ? static_cast<std::uint64_t>(std::atoi(text)) : 200;
}

// Written once, in the page cache from then on.
io::SourcePtr huge_movie() {
  static const test::TempDir dir;
  static const io::SourcePtr source = [] {
    test::write_huge_moov(dir.file("huge.mp4"), mebibytes());
    return io::SourcePtr(io::FileSource::open(dir.file("huge.mp4")).value());
  }();
  return source;
}

void scan_and_size(benchmark::State& state) {
  const io::SourcePtr source = huge_movie();
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    auto movie = mp4::read_movie(source).value();
    bytes += faststart::strategy_named("insert")->plan(movie, {}).value().sizing.moov_size;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(scan_and_size)->Unit(benchmark::kMillisecond)->UseRealTime();

void patch(benchmark::State& state) {
  auto movie = mp4::read_movie(huge_movie()).value();
  const auto plan = faststart::strategy_named("insert")->plan(movie, {}).value();
  std::vector<std::byte> buffer(1 << 20);
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    const io::Source& front = *plan.edit->front;
    for (std::uint64_t at = 0; at < front.size();) {
      at += front.read_at(at, buffer, io::Caching::kKeep).value();
      benchmark::DoNotOptimize(buffer.data());
    }
    bytes += front.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(patch)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
