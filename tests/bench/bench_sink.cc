// The engine of stream-sink alone: writes in order, as a copying client sends them, beside memcpy.
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include <cstring>
#include <random>
#include <vector>

#include "shunt/io/file.h"
#include "shunt/sink/sink.h"

namespace {

using namespace shunt;

constexpr std::size_t kRequest = std::size_t{256} << 10;
constexpr std::uint64_t kTotal = std::uint64_t{1} << 30;

std::vector<std::byte> request() {
  std::minstd_rand random(1);
  std::vector<std::byte> bytes(kRequest);
  for (auto& one : bytes) one = static_cast<std::byte>(random() | 1U);
  return bytes;
}

// What must be done at least: a copy into memory of the size of the window.
void copy(benchmark::State& state) {
  const auto window = static_cast<std::size_t>(state.range(0)) << 20;
  const std::vector<std::byte> from = request();
  std::vector<std::byte> to(window);
  for (auto _ : state) {
    for (std::uint64_t at = 0; at < kTotal; at += kRequest) {
      std::memcpy(to.data() + at % window, from.data(), kRequest);
      benchmark::ClobberMemory();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTotal));
}

// One disk for all rounds, its window full before the first, so that the memory is there.
void write_in_order(benchmark::State& state, sink::CommitPolicy policy) {
  const std::vector<std::byte> from = request();
  auto out = io::File::adopt(io::Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), "/dev/null");
  sink::Options options;
  options.size = std::uint64_t{1} << 60;
  options.policy = policy;
  options.window = static_cast<std::uint64_t>(state.range(0)) << 20;
  options.memory = options.window + (std::uint64_t{16} << 20);
  const auto sink = sink::Sink::start(out, options).value();
  std::uint64_t at = 0;
  const auto write = [&](std::uint64_t size) {
    for (const std::uint64_t end = at + size; at < end; at += kRequest) {
      if (!sink->wait_until_ready() || !sink->write(at, from)) state.SkipWithError("write");
    }
  };
  write(2 * options.window);
  for (auto _ : state) write(kTotal);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTotal));
}

void windowed(benchmark::State& state) {
  write_in_order(state, sink::CommitPolicy::kWindow);
}
void automatic(benchmark::State& state) {
  write_in_order(state, sink::CommitPolicy::kAuto);
}

}  // namespace

BENCHMARK(copy)->Arg(1)->Arg(64)->Arg(256)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(windowed)->Arg(1)->Arg(64)->Arg(256)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(automatic)->Arg(1)->Arg(64)->Arg(256)->UseRealTime()->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
