// A connection against a plain array: whatever the requests, and whatever pieces they come in and
// their answers leave in.
#include "shunt/nbd/connection.h"

#include <rapidcheck.h>

#include "shunt/nbd/reply.h"
#include "support/catch.h"
#include "support/memory_export.h"
#include "support/memory_transport.h"

namespace shunt::nbd {
namespace {

constexpr std::size_t kSize = 300'000;

void append_request(Bytes& input, const Request& request) {
  append(input, kRequestMagic);
  append(input, request.flags);
  append(input, static_cast<std::uint16_t>(request.command));
  append(input, request.cookie);
  append(input, request.offset);
  append(input, request.length);
}

// Requests, mostly good ones, and what has to be answered to them.
struct Conversation {
  Bytes input = test::good_negotiation();
  Bytes answers;
  std::vector<std::byte> disk = std::vector<std::byte>(kSize);

  void add(const Request& request, std::byte fill) {
    append_request(input, request);
    if (request.has_payload()) input.resize(input.size() + request.length, fill);
    Rules rules;
    rules.size = kSize;
    rules.agreed = {true, true};
    if (const auto failure = check_request(request, rules)) {
      return append_failure(answers, request.cookie, *failure, true);
    }
    const auto begin = disk.begin() + static_cast<std::ptrdiff_t>(request.offset);
    switch (request.command) {
      case Command::kRead:
        append_data_header(answers, request, true);
        answers.insert(answers.end(), begin, begin + request.length);
        return append_data_end(answers, request.cookie);
      case Command::kWrite:
        std::fill_n(begin, request.length, fill);
        break;
      case Command::kTrim:
      case Command::kWriteZeroes:
        std::fill_n(begin, request.length, std::byte{0});
        break;
      default:
        break;
    }
    append_done(answers, request.cookie);
  }
};

// A connection to an export in memory, over a transport that is both ends.
struct Rig {
  // `input` is not owned.
  Rig(const Bytes& input, std::uint8_t pace, std::size_t piece_size = kPieceSize)
      : transport(input, pace), piece(piece_size) {}

  // Until it has to wait for something else than its turn, or for `turns`.
  Next serve(int turns) {
    Next next = Next::kAgain;
    for (int i = 0; i < turns && next == Next::kAgain; ++i) next = connection.serve();
    return next;
  }

  test::MemoryExport target{kSize};
  test::MemoryTransport transport;
  Bytes piece;
  const std::function<void(const Served&)> nobody;
  const Offer offer{kSize, {}, kLargestWrite, ""};
  Connection connection{transport, {target, nobody, piece}, offer, {}, 1};
};

Request any_request(std::uint64_t cookie) {
  Request request;
  request.command = *rc::gen::element(Command::kRead, Command::kWrite, Command::kWrite,
                                      Command::kFlush, Command::kTrim, Command::kWriteZeroes);
  request.flags = *rc::gen::weightedElement<std::uint16_t>({{10, 0}, {3, kFlagFua}, {1, 0x80}});
  request.cookie = cookie;
  if (request.command == Command::kFlush) return request;
  request.offset = *rc::gen::inRange<std::uint64_t>(0, kSize + 10);
  const auto most = *rc::gen::element<std::uint32_t>(2, 5000, kSize);
  request.length = *rc::gen::inRange<std::uint32_t>(0, most);
  if (*rc::gen::weightedElement<bool>({{9, true}, {1, false}})) {
    const std::uint64_t room = kSize - std::min<std::uint64_t>(request.offset, kSize);
    request.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.length, room));
  }
  return request;
}

TEST_CASE("answers and disk are those of a plain array") {
  const bool holds = rc::check([] {
    Conversation wanted;
    const auto count = *rc::gen::inRange<std::uint64_t>(1, 30);
    for (std::uint64_t i = 0; i < count; ++i) {
      wanted.add(any_request(i), static_cast<std::byte>(*rc::gen::inRange(1, 256)));
    }
    const auto pace = *rc::gen::arbitrary<std::uint8_t>();
    Rig rig(wanted.input, pace, *rc::gen::element<std::size_t>(4096, 50'000, kPieceSize));
    bool over = false;
    for (std::uint64_t turn = 0; !over; ++turn) {
      RC_ASSERT(turn < 1'000'000U);
      // The export is slow, too.
      rig.target.is_ready = turn % 3 != 0;
      rig.target.is_flushed = turn % 5 == 0;
      over = rig.connection.serve() == Next::kClosed;
    }
    const auto& output = rig.transport.output;
    RC_ASSERT(output.size() == test::kGoodAnswersSize + wanted.answers.size());
    RC_ASSERT(std::equal(wanted.answers.begin(), wanted.answers.end(),
                         output.begin() + test::kGoodAnswersSize));
    RC_ASSERT(rig.target.bytes == wanted.disk);
  });
  CHECK(holds);
}

TEST_CASE("stop() answers what was received whole, and then ends") {
  Bytes input = test::good_negotiation();
  for (std::uint64_t i = 0; i < 3; ++i) append_request(input, {0, Command::kTrim, i, 0, 512});
  // The transport gives all there is at once; the rest of the fourth never comes.
  append_request(input, {0, Command::kWrite, 3, 0, 512});
  Rig rig(input, 0);
  rig.target.is_ready = false;
  REQUIRE(rig.serve(1) == Next::kExport);
  CHECK(rig.connection.received_total() == input.size());
  rig.target.is_ready = true;
  rig.connection.stop();
  CHECK(rig.serve(10) == Next::kClosed);
  CHECK(rig.target.trims == 3);
  CHECK(rig.target.writes == 0);
  CHECK(rig.transport.output.size() == test::kGoodAnswersSize + 3 * kSimpleReplySize);
}

TEST_CASE("requests that come after stop() are answered with ESHUTDOWN") {
  constexpr std::uint64_t kCount = 20;
  Bytes input = test::good_negotiation();
  const std::size_t negotiation = input.size();
  for (std::uint64_t i = 0; i < kCount; ++i) append_request(input, {0, Command::kTrim, i, 0, 512});
  Rig rig(input, 8);  // 128 bytes at once
  rig.target.is_ready = false;
  REQUIRE(rig.serve(100) == Next::kExport);
  const std::uint64_t whole = (rig.connection.received_total() - negotiation) / kRequestSize;
  REQUIRE(whole < kCount);
  rig.target.is_ready = true;
  rig.connection.stop();
  CHECK(rig.serve(100) == Next::kClosed);
  CHECK(static_cast<std::uint64_t>(rig.target.trims) == whole);
  Bytes late;
  for (std::uint64_t i = whole; i < kCount; ++i) {
    append_failure(late, i, {Errno::kShutdown, "the server is stopping"}, true);
  }
  const auto& output = rig.transport.output;
  REQUIRE(output.size() == test::kGoodAnswersSize + whole * kSimpleReplySize + late.size());
  CHECK(std::equal(late.rbegin(), late.rend(), output.rbegin()));
}

}  // namespace
}  // namespace shunt::nbd
