// Several processes at one cache: each byte is downloaded once, whoever dies in between, and
// nothing that goes wrong makes a wrong byte.
#include <algorithm>
#include <array>
#include <chrono>

#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSize = (std::uint64_t{8} << 20) + 555;

struct Counts {
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> progress{0};
};

TEST_CASE("processes: together they download a blob once") {
  for (const bool everything : {false, true}) {
    for (const std::size_t step : {std::size_t{30'000}, std::size_t{1'000'000}}) {
      INFO(everything << ' ' << step);
      test::TempDir directory;
      const auto info = url_info(kSize);
      Shared<Counts> counts;
      std::vector<pid_t> children;
      for (unsigned i = 0; i < 3; ++i) {
        children.push_back(fork_to([&, i] {
          const auto cache = open_cache(directory.path());
          OriginScript script;
          script.sent = &counts->sent;
          script.says_latency = i == 1 ? 0.01 : 0;
          script.pause = 200us;
          script.everything = everything;
          const Rig rig(open_entry(*cache, info), info, script);
          if (i == 2) rig.source->will_need({{kSize / 2, kSize}, {0, kSize / 2}});
          return read_all(*rig.source, 1, step) == Read::kRight ? 0 : 1;
        }));
      }
      for (const pid_t child : children) CHECK(wait_for(child) == 0);
      // One that sends everything cannot be stopped before its first bytes.
      if (everything) {
        CHECK(counts->sent < kSize + kSize / 2);
      } else {
        CHECK(counts->sent == kSize);
      }
    }
  }
}

TEST_CASE("processes: one is killed in the middle, and the other goes on") {
  for (int round = 0; round < 4; ++round) {
    test::TempDir directory;
    const auto info = url_info(kSize);
    Shared<Counts> counts;
    const auto reader = [&](std::chrono::microseconds pause) {
      return fork_to([&, pause] {
        const auto cache = open_cache(directory.path());
        OriginScript script;
        script.sent = &counts->sent;
        script.pause = pause;
        const Rig rig(open_entry(*cache, info), info, script);
        return read_all(*rig.source, 1, 300'000) == Read::kRight ? 0 : 1;
      });
    };
    const pid_t doomed = reader(1ms);
    while (counts->sent < (1U + static_cast<unsigned>(round)) * kSize / 8) ::usleep(100);
    const pid_t other = reader(0us);
    ::usleep(static_cast<useconds_t>(round * 1000));
    ::kill(doomed, SIGKILL);
    CHECK(wait_for(doomed) == -SIGKILL);
    CHECK(wait_for(other) == 0);
    CHECK(counts->sent < kSize + (std::uint64_t{3} << 20));
  }
}

TEST_CASE("processes: one holds a digest against the blob while another reads") {
  test::TempDir directory;
  const auto info = digest_info(1, kSize);
  Shared<Counts> counts;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(fork_to([&] {
      const auto cache = open_cache(directory.path());
      OriginScript script;
      script.sent = &counts->sent;
      const Rig rig(open_entry(*cache, info), info, script);
      const auto verified = rig.source->verify({});
      return verified && *verified ? 0 : 1;
    }));
  }
  for (const pid_t child : children) CHECK(wait_for(child) == 0);
  CHECK(counts->sent == kSize);
  CHECK(open_entry(*open_cache(directory.path()), info)->sealed());
}

// ---- anything may happen ------------------------------------------------------------------------

// What happens to an entry between boots: blocks, records, state and length, at random.
void spoil(const std::string& path, const EntryHeader& header, std::mt19937_64& random) {
  const auto somewhere = [&](std::uint64_t begin, std::uint64_t end) {
    return begin + random() % (end - begin);
  };
  const auto junk = [&](std::uint64_t at, std::size_t size) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, header.file_size() - at));
    std::vector<std::byte> bytes(size);
    if (random() % 2 == 0) test::fill_noise(random(), 0, bytes);
    overwrite(path, at, bytes);
  };
  for (std::uint64_t n = random() % 6; n > 0; --n) {
    switch (random() % 5) {
      case 0:
      case 1:  // lost pages of data
        junk(somewhere(header.data_begin(), header.file_size()) / 4096 * 4096, 4096);
        break;
      case 2:  // a flipped bit
        junk(somewhere(header.data_begin(), header.file_size()), 1);
        break;
      case 3:  // a lost record
        overwrite(path, header.records_begin() + random() % header.blocks() * kRecordSize,
                  std::vector<std::byte>(kRecordSize));
        break;
      default:
        if (random() % 4 == 0) {
          junk(somewhere(0, header.data_begin()), 64);
        }
    }
  }
}

int wild_reader(const std::string& directory, const blob::Info& info, std::uint64_t seed,
                std::uint64_t boot) {
  const BootIdOverride another(std::to_string(boot));
  std::mt19937_64 random(seed);
  const auto cache = open_cache(directory, random() % 3 == 0 ? 2 << 20 : 0);
  OriginScript script;
  script.chunk = 1 + random() % 100'000;
  script.everything = random() % 6 == 0;
  script.says_latency = random() % 2 == 0 ? 0.01 : 0;
  const std::uint64_t faults = random() % 3 == 0 ? 20 : 0;
  script.fault = [&, faults](unsigned, std::uint64_t at) -> std::optional<Error> {
    if (faults == 0 || (at / 7 + seed) % faults != 0) return std::nullopt;
    Error error;
    error.code = ErrorCode::kNetwork;
    error.reason = "a fault";
    return error;
  };
  const Rig rig(open_entry(*cache, info), info, script);
  if (random() % 4 == 0) rig.source->will_need({{random() % kSize, kSize}});
  for (int n = 0; n < 30; ++n) {
    const std::uint64_t at = random() % kSize;
    if (read_and_compare(*rig.source, 1, at, 1 + random() % 150'000) == Read::kWrong) return 1;
  }
  return 0;
}

TEST_CASE("processes: whatever happens, a read is right or fails") {
  const char* const text = std::getenv("SHUNT_SEED");
  const std::uint64_t seed =
      text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
  INFO("SHUNT_SEED=" << seed);
  std::mt19937_64 random(seed);
  const int rounds = std::getenv("SHUNT_TEST_FULL") != nullptr ? 100 : 8;
  for (int round = 0; round < rounds; ++round) {
    test::TempDir directory;
    const auto info = url_info(kSize);
    for (std::uint64_t boot = 0; boot < 3; ++boot) {
      std::vector<pid_t> children;
      const std::uint64_t base = random();
      for (std::uint64_t i = 0; i < 3; ++i) {
        children.push_back(
            fork_to([&, i] { return wild_reader(directory.path(), info, base + i, boot); }));
      }
      if (random() % 2 == 0) {
        ::usleep(static_cast<useconds_t>(random() % 20'000));
        ::kill(children[0], SIGKILL);
      }
      for (const pid_t child : children) {
        const int status = wait_for(child);
        INFO("round " << round << ", boot " << boot);
        if (status != -SIGKILL) CHECK(status == 0);
      }
      const std::string path = entry_path(directory.path(), info);
      auto file = io::File::open_to_read(path);
      if (!file) continue;
      if (const auto header = Entry::read_header(*file)) spoil(path, *header, random);
    }
  }
}

}  // namespace
}  // namespace shunt::cache
