// How fast a vault is with many items: listing them (well below 100 ms for 10,000), and the two
// kinds of admission, by the count alone and with a scan that finds no room.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <span>
#include <stdexcept>
#include <string>

#include "shunt/vault/vault.h"
#include "support/temp_dir.h"

namespace {

using namespace shunt;

constexpr int kItems = 10'000;
constexpr std::uint64_t kBudget = std::uint64_t{1} << 40;

// Written once: 10,000 items of one block.
const std::string& full_directory() {
  static const test::TempDir dir;
  static const std::string path = [] {
    std::string directory = dir.file("vault");
    vault::Vault::open(directory, {vault::Durability::kUnsynced, 0}).value();
    for (int i = 0; i < kItems; ++i) {
      const std::string name = directory + "/sha256-" + std::to_string(i);
      const int fd = ::open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      if (fd < 0 || ::write(fd, "x", 1) != 1) throw std::runtime_error(name);
      ::close(fd);
    }
    return directory;
  }();
  return path;
}

void list(benchmark::State& state) {
  const auto vault =
      vault::Vault::open(full_directory(), {vault::Durability::kUnsynced, 0}).value();
  for (auto _ : state) {
    if (vault->list().value().size() != kItems) state.SkipWithError("items are missing");
  }
}
BENCHMARK(list)->Unit(benchmark::kMillisecond)->UseRealTime();

void admit_by_count(benchmark::State& state) {
  const auto vault =
      vault::Vault::open(full_directory(), {vault::Durability::kUnsynced, kBudget}).value();
  for (auto _ : state) {
    if (!vault->admit(1).value()) state.SkipWithError("full");
  }
}
BENCHMARK(admit_by_count)->Unit(benchmark::kMicrosecond)->UseRealTime();

// What a block costs when a blob does not fit: the first looks, the others are told.
void admit_in_vain(benchmark::State& state) {
  const test::TempDir dir;
  const std::string path = dir.file("vault");
  const auto vault =
      vault::Vault::open(path, {vault::Durability::kUnsynced, std::uint64_t{1} << 16}).value();
  auto reservation = vault->reserve("in-use").value();
  const std::string bytes(1 << 16, 'x');
  if (!reservation.file().write_at(0, std::as_bytes(std::span(bytes.data(), bytes.size())))) {
    state.SkipWithError("cannot write");
  }
  for (auto _ : state) {
    if (vault->admit(4096).value()) state.SkipWithError("not full");
  }
}
BENCHMARK(admit_in_vain)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
