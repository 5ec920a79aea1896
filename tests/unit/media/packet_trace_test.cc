// Traces of real files: what must show as a difference, what must not, and which failures are
// whose.

#include "shunt/media/packet_trace.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.h"

namespace shunt::media {
namespace {

using Bytes = std::vector<std::byte>;

// A file of the corpus; nullopt, with a warning, when there is none.
std::optional<Bytes> corpus_file(const char* name) {
  const char* directory = std::getenv("SHUNT_CORPUS");
  if (directory == nullptr || *directory == '\0') {
    WARN("skipped: SHUNT_CORPUS is not set");
    return std::nullopt;
  }
  auto source = io::FileSource::open(std::string(directory) + "/" + name);
  if (!source) {
    WARN("skipped: " << source.error().describe());
    return std::nullopt;
  }
  Bytes bytes(static_cast<std::size_t>((*source)->size()));
  REQUIRE(io::read_exactly(**source, 0, bytes));
  return bytes;
}

PacketTrace trace(Bytes bytes) {
  const io::MemorySource source(std::move(bytes));
  auto traced = trace_packets(source, {});
  if (!traced) FAIL(traced.error().describe());
  return *std::move(traced);
}

Bytes bytes_of(std::string_view text) {
  Bytes bytes(text.size());
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

std::size_t find(const Bytes& in, std::string_view text) {
  const Bytes wanted = bytes_of(text);
  const auto at = std::search(in.begin(), in.end(), wanted.begin(), wanted.end());
  REQUIRE(at != in.end());
  return static_cast<std::size_t>(at - in.begin());
}

// Gives `bytes` for `limit` reads, and fails then.
class BrokenSource final : public io::Source {
 public:
  BrokenSource(Bytes bytes, int limit) : bytes_(std::move(bytes)), left_(limit) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override {
    if (left_-- > 0) return bytes_.read_at(offset, into, caching);
    ++reads_after_failure;
    return system_error(EIO, "disk", "read");
  }
  [[nodiscard]] std::string name() const override { return "broken"; }

  mutable std::atomic<int> reads_after_failure{0};

 private:
  io::MemorySource bytes_;
  mutable std::atomic<int> left_;
};

// Cancels once the work has come to the first packet.
class CancellingProgress final : public Progress {
 public:
  explicit CancellingProgress(CancelToken& token) : token_(token) {}
  void begin(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t) override {
    ++steps;
    token_.request(2);
  }
  int steps = 0;

 private:
  CancelToken& token_;
};

class CountingProgress final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t bytes) override { total = bytes; }
  void advance(std::uint64_t bytes) override { done += bytes; }
  std::uint64_t total = 0;
  std::uint64_t done = 0;
};

TEST_CASE("a trace holds every packet of a file", "[media]") {
  const auto file = corpus_file("bbb_prog_10s.mp4");
  if (!file) return;
  const PacketTrace whole = trace(*file);
  CHECK(whole.opened);
  CHECK_FALSE(whole.failure);
  CHECK(whole.stream_count == 2);
  CHECK(whole.packets.size() == 666);  // as ffprobe -show_packets counts
}

TEST_CASE("the same file twice has no difference", "[media]") {
  for (const char* name : {"bbb_prog_10s.mp4", "sample_fragmented_seekable.mp4", "short-cenc.mp4",
                           "covr-junk.m4a", "dolbyVision-hdr.MOV"}) {
    const auto file = corpus_file(name);
    if (!file) return;
    INFO(name);
    const PacketTrace first = trace(*file);
    CHECK(first.opened);
    CHECK_FALSE(first.packets.empty());
    CHECK(first_difference(first, trace(*file)) == std::nullopt);
  }
}

TEST_CASE("packets that only lie elsewhere are the same", "[media]") {
  // Its fragments address their data relative to themselves, so that nothing needs mending.
  const auto file = corpus_file("bbb5s_aac_sidx.mp4");
  if (!file) return;
  Bytes moved = *file;
  Bytes box = bytes_of(std::string_view("\0\x01\0\0free", 8));
  box.resize(0x10000);
  const auto ftyp_size = static_cast<std::ptrdiff_t>(moved[3]);
  moved.insert(moved.begin() + ftyp_size, box.begin(), box.end());
  const PacketTrace before = trace(*file);
  REQUIRE(before.packets.size() == 235);
  CHECK(first_difference(before, trace(moved)) == std::nullopt);
}

TEST_CASE("a changed payload byte is a difference", "[media]") {
  const auto file = corpus_file("bbb_prog_10s.mp4");
  if (!file) return;
  Bytes changed = *file;
  // The first sample begins behind the header of mdat.
  changed[find(changed, "mdat") + 4 + 5] ^= std::byte{1};
  CHECK(first_difference(trace(*file), trace(changed)) == "packet 1 differs");
}

TEST_CASE("a changed stream parameter is a difference", "[media]") {
  const auto file = corpus_file("bbb_prog_10s.mp4");
  if (!file) return;
  Bytes changed = *file;
  changed[find(changed, "avcC") + 4 + 1] ^= std::byte{1};  // the profile
  CHECK(first_difference(trace(*file), trace(changed)) == "the parameters of a stream differ");
}

TEST_CASE("packets behind the end of the file do not pass unseen", "[media]") {
  const auto file = corpus_file("annex-b.mp4");  // cut at 100,000 bytes
  if (!file) return;
  const PacketTrace cut = trace(*file);
  CHECK(cut.opened);
  CHECK(cut.packets.size() == 6);
  REQUIRE(cut.failure);
  CHECK(*cut.failure == "incomplete packets: 740");
}

TEST_CASE("garbage cannot be opened, and is no error", "[media]") {
  Bytes garbage(100'000);
  std::uint32_t state = 1;
  for (std::byte& byte : garbage) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  for (const Bytes& input :
       {garbage, Bytes{}, Bytes(4096), bytes_of("#EXTM3U\nfile:///etc/passwd")}) {
    const PacketTrace nothing = trace(input);
    CHECK_FALSE(nothing.opened);
    CHECK(nothing.packets.empty());
    REQUIRE(nothing.failure);
    CHECK_FALSE(nothing.failure->empty());
  }
}

TEST_CASE("the error of a Source comes through as it is", "[media]") {
  const auto file = corpus_file("bbb_prog_10s.mp4");
  if (!file) return;
  for (const int reads : {0, 1, 3}) {  // while opening, and among the packets
    INFO(reads);
    const BrokenSource source(*file, reads);
    const auto traced = trace_packets(source, {});
    REQUIRE_FALSE(traced);
    CHECK(traced.error().code == ErrorCode::kLocalIo);
    CHECK(traced.error().system_errno == EIO);
    CHECK(traced.error().path == "disk");
    CHECK(source.reads_after_failure == 1);
  }
}

TEST_CASE("cancelling ends a trace with kInterrupted", "[media]") {
  const auto file = corpus_file("bbb_prog_10s.mp4");
  if (!file) return;
  CancelToken token;
  CancellingProgress progress(token);
  const io::MemorySource source(*file);
  const auto traced = trace_packets(source, {&token, &progress});
  REQUIRE_FALSE(traced);
  CHECK(traced.error().code == ErrorCode::kInterrupted);
  CHECK(progress.steps == 1);
}

TEST_CASE("progress of a trace ends at the size of the file", "[media]") {
  const auto file = corpus_file("bbb_prog_10s.mp4");
  if (!file) return;
  CountingProgress progress;
  REQUIRE(trace_packets(io::MemorySource(*file), {.progress = &progress}));
  CHECK(progress.total == file->size());
  CHECK(progress.done == file->size());
}

TEST_CASE("first_difference names the first of the differences", "[media]") {
  PacketTrace before;
  before.opened = true;
  before.stream_count = 2;
  before.streams_digest = 7;
  before.packets = {1, 2, 3};
  CHECK(first_difference(before, before) == std::nullopt);

  PacketTrace after = before;
  after.packets[1] = 9;
  CHECK(first_difference(before, after) == "packet 2 differs");
  after.packets.pop_back();
  CHECK(first_difference(before, after) == "3 packets before, 2 after");
  after.streams_digest = 8;
  CHECK(first_difference(before, after) == "the parameters of a stream differ");
  after.stream_count = 1;
  CHECK(first_difference(before, after) == "2 streams before, 1 after");
  after.opened = false;
  after.failure = "Invalid data";
  CHECK(first_difference(before, after) == "it cannot be opened afterwards (Invalid data)");
  CHECK(first_difference(after, before) ==
        "it could not be opened before, and can be afterwards (Invalid data)");
}

}  // namespace
}  // namespace shunt::media
