#include "support/conformance/export.h"

#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "shunt/base/big_endian.h"
#include "shunt/nbd/connection.h"
#include "support/catch.h"
#include "support/memory_transport.h"
#include "support/scripted_origin.h"

namespace shunt::test {
namespace {

using nbd::append;
using nbd::Bytes;
using nbd::Command;
using nbd::Errno;
using nbd::Export;
using nbd::Features;

// How long a wait takes that has failed.
constexpr std::chrono::seconds kPatience{20};

template <typename Done>
bool wait_for(const Done& done) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// No byte of it is zero.
Bytes written_bytes(std::uint64_t seed, std::size_t size) {
  Bytes bytes(size);
  fill_noise(seed, 0, bytes);
  std::ranges::replace(bytes, std::byte{0}, std::byte{1});
  return bytes;
}

// ---- called directly ----------------------------------------------------------------------------

// A disk as bytes, some of which may be what they were or zero: those that were trimmed.
class DiskModel {
 public:
  explicit DiskModel(std::uint64_t size)
      : bytes_(static_cast<std::size_t>(size)), trimmed_(static_cast<std::size_t>(size)) {}

  void write(std::uint64_t offset, std::span<const std::byte> data) {
    std::ranges::copy(data, bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    set_trimmed(ByteRange::of(offset, data.size()), false);
  }
  void zero(ByteRange range) { write(range.begin, Bytes(static_cast<std::size_t>(range.size()))); }
  void trim(ByteRange range) { set_trimmed(range, true); }
  [[nodiscard]] bool fits(std::uint64_t offset, std::span<const std::byte> got) const {
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::size_t at = static_cast<std::size_t>(offset) + i;
      if (got[i] != bytes_[at] && !(trimmed_[at] && got[i] == std::byte{0})) return false;
    }
    return true;
  }

 private:
  void set_trimmed(ByteRange range, bool trimmed) {
    std::fill(trimmed_.begin() + static_cast<std::ptrdiff_t>(range.begin),
              trimmed_.begin() + static_cast<std::ptrdiff_t>(range.end), trimmed);
  }

  Bytes bytes_;
  std::vector<bool> trimmed_;
};

// In pieces as the server asks for them.
std::optional<Bytes> read_of(Export& disk, ByteRange range) {
  Bytes into(static_cast<std::size_t>(range.size()));
  for (std::size_t at = 0; at < into.size(); at += nbd::kPieceSize) {
    const auto piece = std::span(into).subspan(at, std::min(into.size() - at, nbd::kPieceSize));
    const auto got = disk.read(range.begin + at, piece);
    if (!got || !*got) return std::nullopt;
  }
  return into;
}

// Whether the extents of `range` follow from its beginning, and what they call zeros is zeros.
bool extents_are_true(Export& disk, ByteRange range, std::size_t most) {
  const auto extents = disk.allocation(range, most);
  if (!extents || extents->empty() || extents->size() > most) return false;
  std::uint64_t at = range.begin;
  for (const nbd::Allocation& extent : *extents) {
    if (extent.size == 0 || at >= range.end) return false;
    const ByteRange part = ByteRange::of(at, extent.size).intersect(range);
    const auto bytes = read_of(disk, part);
    const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
    if (!bytes || (extent.zeros && !std::ranges::all_of(*bytes, is_zero))) return false;
    at += extent.size;
  }
  return true;
}

// At most as large as the server asks for at once; the ends are tried often.
ByteRange any_range(std::uint64_t size) {
  const auto most = std::min<std::uint64_t>(size, nbd::kPieceSize);
  const auto length = *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(1, 10),
                                      rc::gen::inRange<std::uint64_t>(1, most + 1));
  const auto begin = *rc::gen::weightedOneOf<std::uint64_t>(
      {{6, rc::gen::inRange<std::uint64_t>(0, size - length + 1)},
       {1, rc::gen::just<std::uint64_t>(0)},
       {1, rc::gen::just<std::uint64_t>(size - length)}});
  return ByteRange::of(begin, length);
}

void change(Export& disk, DiskModel& model, ByteRange range, std::uint64_t seed) {
  const Features features = disk.features();
  RC_ASSERT(wait_for([&] { return disk.ready(); }));
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      if (!features.zeroes) break;
      RC_ASSERT(disk.zero(range, seed % 2 == 0 ? nbd::Zeroing::kMayTrim : nbd::Zeroing::kNoHole)
                    .has_value());
      model.zero(range);
      break;
    case 1:
      if (!features.trim) break;
      RC_ASSERT(disk.trim(range).has_value());
      model.trim(range);
      break;
    default: {
      const Bytes data = written_bytes(seed, static_cast<std::size_t>(range.size()));
      RC_ASSERT(disk.may_write(range).has_value());
      // In two pieces.
      const auto first = std::span(data).first(data.size() / 3);
      if (!first.empty()) RC_ASSERT(disk.write(range.begin, first).has_value());
      RC_ASSERT(disk.write(range.begin + first.size(), std::span(data).subspan(first.size()))
                    .has_value());
      model.write(range.begin, data);
    }
  }
}

void check_random(const ExportUnderTest& tested) {
  CHECK(rc::check([&] {
    const auto disk = tested.open();
    const std::uint64_t size = disk->size();
    DiskModel model(size);
    for (int step = 0; step < 20; ++step) {
      const ByteRange range = any_range(size);
      change(*disk, model, range, *rc::gen::inRange<std::uint64_t>(0, 1000));
      for (const ByteRange looked_at : {range, any_range(size)}) {
        const auto got = read_of(*disk, looked_at);
        RC_ASSERT(got.has_value());
        RC_ASSERT(model.fits(looked_at.begin, *got));
        RC_ASSERT(extents_are_true(*disk, looked_at, *rc::gen::inRange<std::size_t>(1, 5)));
      }
    }
  }));
}

void check_new(const ExportUnderTest& tested) {
  const auto disk = tested.open();
  const std::uint64_t size = disk->size();
  CHECK(disk->ready());
  CHECK_FALSE(disk->features().read_only);
  CHECK(disk->features().flush);
  for (const ByteRange range :
       {ByteRange{0, 1}, ByteRange{size - 1, size}, ByteRange{0, 100'000}}) {
    CHECK(read_of(*disk, range) == Bytes(static_cast<std::size_t>(range.size())));
    CHECK(extents_are_true(*disk, range, 1));
    CHECK(disk->may_write(range).has_value());
  }
}

void check_flush(const ExportUnderTest& tested) {
  const auto disk = tested.open();
  const auto flush = [&] {
    REQUIRE(disk->start_flush().has_value());
    Result<bool> done = false;
    CHECK(wait_for([&] {
      done = disk->flushed();
      return !done || *done;
    }));
    CHECK(done.value());
  };
  flush();
  const Bytes data = written_bytes(3, 100'000);
  REQUIRE(disk->write(5, data));
  flush();
  CHECK(read_of(*disk, ByteRange::of(5, data.size())) == data);
}

void check_later(const ExportUnderTest& tested) {
  const ExportUnderTest::Later later = tested.open_later();
  Bytes into(1000);
  const auto before = later.disk->read(10, into);
  REQUIRE(before);
  CHECK_FALSE(*before);
  later.bring();
  const auto after = later.disk->read(10, into);
  REQUIRE(after);
  CHECK(*after);
}

// ---- by a connection ----------------------------------------------------------------------------

// What came for one request.
struct Reply {
  std::uint64_t cookie = 0;
  std::uint32_t error = 0;
  Bytes data;
};

// A client that says all it has to say, and reads the answers when it is done.
class Wire {
 public:
  explicit Wire(Export& disk) : disk_(disk) {}

  // The cookie of a request is its number, from 0.
  Wire& ask(Command command, std::uint64_t offset, std::uint32_t length, unsigned flags = 0) {
    append(input_, nbd::kRequestMagic);
    append(input_, static_cast<std::uint16_t>(flags));
    append(input_, static_cast<std::uint16_t>(command));
    append(input_, std::uint64_t{count_++});
    append(input_, offset);
    append(input_, length);
    return *this;
  }
  Wire& write(std::uint64_t offset, const Bytes& data, unsigned flags = 0) {
    ask(Command::kWrite, offset, static_cast<std::uint32_t>(data.size()), flags);
    input_.insert(input_.end(), data.begin(), data.end());
    return *this;
  }

  // `waited` is called whenever the connection waits for the export.
  std::vector<Reply> replies(const std::function<void()>& waited = [] {}) {
    MemoryTransport transport(input_, 0);
    Bytes piece(nbd::kPieceSize);
    const std::function<void(const nbd::Served&)> nobody;
    const nbd::Offer offer{disk_.size(), disk_.features(), nbd::kLargestWrite, ""};
    nbd::Connection connection(transport, {disk_, nobody, piece}, offer, {}, 1);
    const bool over = wait_for([&] {
      const nbd::Next next = connection.serve();
      if (next == nbd::Next::kExport) waited();
      return next == nbd::Next::kClosed;
    });
    REQUIRE(over);
    auto found = taken_apart(transport.output);
    CHECK(found.size() == count_);
    found.resize(count_);
    for (std::uint64_t number = 0; number < count_; ++number) {
      CHECK(found[number].cookie == number);  // one after another
    }
    return found;
  }

 private:
  static std::vector<Reply> taken_apart(std::span<const std::byte> output) {
    std::vector<Reply> found;
    REQUIRE(output.size() >= kGoodAnswersSize);
    output = output.subspan(kGoodAnswersSize);
    bool done = true;
    while (!output.empty()) {
      if (output.size() >= nbd::kSimpleReplySize &&
          load_be<std::uint32_t>(output.data()) == nbd::kSimpleReplyMagic) {
        CHECK(done);
        found.push_back({load_be<std::uint64_t>(output.data() + 8),
                         load_be<std::uint32_t>(output.data() + 4),
                         {}});
        output = output.subspan(nbd::kSimpleReplySize);
        continue;
      }
      REQUIRE(output.size() >= nbd::kChunkHeaderSize);
      REQUIRE(load_be<std::uint32_t>(output.data()) == nbd::kChunkMagic);
      const auto size = load_be<std::uint32_t>(output.data() + 16);
      const auto payload = output.subspan(nbd::kChunkHeaderSize, size);
      if (done) found.push_back({load_be<std::uint64_t>(output.data() + 8), 0, {}});
      done = (load_be<std::uint16_t>(output.data() + 4) & nbd::kChunkDone) != 0;
      const nbd::Chunk type{load_be<std::uint16_t>(output.data() + 6)};
      if (type == nbd::Chunk::kError) {
        found.back().error = load_be<std::uint32_t>(payload.data());
      } else if (type == nbd::Chunk::kOffsetData) {
        found.back().data.assign(payload.begin() + 8, payload.end());
      }
      output = output.subspan(nbd::kChunkHeaderSize + size);
    }
    CHECK(done);
    return found;
  }

  Export& disk_;
  Bytes input_ = good_negotiation();
  std::uint64_t count_ = 0;
};

constexpr std::uint32_t kNone = 0;

std::uint32_t number(Errno error) {
  return static_cast<std::uint32_t>(error);
}

void check_over_the_wire(const ExportUnderTest& tested) {
  const auto disk = tested.open();
  const std::uint64_t size = disk->size();
  const Bytes data = written_bytes(4, 700'000);
  const auto length = static_cast<std::uint32_t>(data.size());
  const auto replies = Wire(*disk)
                           .write(size - length, data)
                           .ask(Command::kRead, size - length, length)
                           .ask(Command::kFlush, 0, 0)
                           .write(10, {data.begin(), data.begin() + 5})
                           .ask(Command::kRead, 8, 9)
                           .ask(Command::kBlockStatus, 0, length)
                           .replies();
  for (const Reply& reply : replies) CHECK(reply.error == kNone);
  CHECK((replies[1].data == data));
  Bytes small(9);
  std::copy_n(data.begin(), 5, small.begin() + 2);
  CHECK(replies[4].data == small);
  CHECK(read_of(*disk, {8, 17}) == small);
}

void check_refusals(const ExportUnderTest& tested) {
  const auto disk = tested.open();
  const std::uint64_t size = disk->size();
  const Bytes data = written_bytes(5, 100);
  const auto replies = Wire(*disk)
                           .ask(Command::kRead, size - 99, 100)
                           .ask(Command::kRead, UINT64_MAX - 9, 10)
                           .write(size - 99, data)
                           .write(size, data)
                           .ask(Command::kTrim, size - 99, 100)
                           .ask(Command::kWriteZeroes, size - 99, 100)
                           .ask(Command{99}, 0, 0)
                           .ask(Command::kRead, 0, 0)
                           .ask(Command::kRead, size - 100, 100)
                           .replies();
  const Features features = disk->features();
  CHECK(replies[0].error == number(Errno::kInvalid));
  CHECK(replies[1].error == number(Errno::kInvalid));
  CHECK(replies[2].error == number(Errno::kNoSpace));
  CHECK(replies[3].error == number(Errno::kNoSpace));
  CHECK(replies[4].error == number(Errno::kInvalid));
  CHECK(replies[5].error == number(features.zeroes ? Errno::kNoSpace : Errno::kInvalid));
  CHECK(replies[6].error == number(Errno::kInvalid));
  CHECK(replies[7].error == number(Errno::kInvalid));
  CHECK(replies[8].error == kNone);
  CHECK(replies[8].data == Bytes(100));
}

// What is offered is done, and what is not is refused.
void check_offers(const ExportUnderTest& tested) {
  const auto disk = tested.open();
  const Features features = disk->features();
  const Bytes data = written_bytes(6, 4096);
  const auto replies = Wire(*disk)
                           .write(0, data, nbd::kFlagFua)
                           .write(4096, data)
                           .write(8192, data)
                           .ask(Command::kFlush, 0, 0)
                           .ask(Command::kTrim, 0, 4096)
                           .ask(Command::kWriteZeroes, 4096, 4096)
                           .ask(Command::kWriteZeroes, 8192, 2048, nbd::kFlagNoHole)
                           .ask(Command::kWriteZeroes, 10'240, 2048, nbd::kFlagFastZero)
                           .ask(Command::kTrim, 0, 512, nbd::kFlagFua)
                           .ask(Command::kRead, 4096, 8192)
                           .replies();
  const auto expected = [](bool offered) { return offered ? kNone : number(Errno::kInvalid); };
  CHECK(replies[0].error == expected(features.fua));
  CHECK(replies[1].error == kNone);
  CHECK(replies[2].error == kNone);
  CHECK(replies[3].error == expected(features.flush));
  CHECK(replies[4].error == expected(features.trim));
  CHECK(replies[5].error == expected(features.zeroes));
  CHECK(replies[6].error == expected(features.zeroes));
  CHECK(replies[7].error == expected(features.zeroes && features.fast_zero));
  CHECK(replies[8].error == expected(features.trim && features.fua));
  REQUIRE(replies[9].error == kNone);
  Bytes left = data;
  left.insert(left.end(), data.begin(), data.end());
  if (replies[5].error == kNone) std::fill_n(left.begin(), 4096, std::byte{0});
  if (replies[6].error == kNone) std::fill_n(left.begin() + 4096, 2048, std::byte{0});
  if (replies[7].error == kNone) std::fill_n(left.begin() + 6144, 2048, std::byte{0});
  CHECK((replies[9].data == left));
}

void check_read_only(const ExportUnderTest& tested) {
  const auto disk = tested.open_read_only();
  REQUIRE(disk->features().read_only);
  const auto before = read_of(*disk, {0, 4096});
  REQUIRE(before);
  const auto replies = Wire(*disk)
                           .write(0, written_bytes(7, 4096))
                           .ask(Command::kTrim, 0, 4096)
                           .ask(Command::kWriteZeroes, 0, 4096)
                           .ask(Command::kRead, 0, 4096)
                           .replies();
  for (const std::size_t change : {0U, 1U, 2U}) {
    CHECK(replies[change].error == number(Errno::kPermission));
  }
  CHECK(replies[3].error == kNone);
  CHECK(replies[3].data == *before);
  CHECK(read_of(*disk, {0, 4096}) == *before);
}

void check_later_over_the_wire(const ExportUnderTest& tested) {
  const ExportUnderTest::Later later = tested.open_later();
  int waits = 0;
  const auto replies = Wire(*later.disk)
                           .ask(Command::kRead, 0, 300'000)
                           .ask(Command::kRead, 300'000, 1000)
                           .replies([&] {
                             // It asks again, and that alone does not bring them.
                             if (++waits == 3) later.bring();
                           });
  CHECK(waits == 3);
  CHECK(replies[0].error == kNone);
  CHECK(replies[1].error == kNone);
  CHECK((replies[0].data == read_of(*later.disk, {0, 300'000})));
  CHECK(replies[1].data == read_of(*later.disk, {300'000, 301'000}));
}

}  // namespace

void check_export(const ExportUnderTest& tested) {
  SECTION("a new disk is zeros") {
    check_new(tested);
  }
  SECTION("reads see what was changed before") {
    check_random(tested);
  }
  SECTION("a flush is done at last") {
    check_flush(tested);
  }
  SECTION("clients read what they wrote") {
    check_over_the_wire(tested);
  }
  SECTION("what lies beyond the end is refused") {
    check_refusals(tested);
  }
  SECTION("what is offered is done, and nothing else") {
    check_offers(tested);
  }
  if (tested.open_read_only) {
    SECTION("nothing changes a disk that is for reading") {
      check_read_only(tested);
    }
  }
  if (tested.open_later) {
    SECTION("bytes that are on their way are asked for again") {
      check_later(tested);
    }
    SECTION("a client has them when they have come") {
      check_later_over_the_wire(tested);
    }
  }
}

}  // namespace shunt::test
