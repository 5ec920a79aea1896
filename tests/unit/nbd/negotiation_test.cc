#include "shunt/nbd/negotiation.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"

namespace shunt::nbd {
namespace {

constexpr std::size_t kReplyHeader = 20;

struct Reply {
  std::uint32_t option = 0;
  OptionReply type{};
  Bytes data;
};

std::vector<Reply> replies_in(const Bytes& bytes) {
  std::vector<Reply> replies;
  for (std::size_t at = 0; at < bytes.size();) {
    REQUIRE(bytes.size() - at >= kReplyHeader);
    const std::byte* const p = bytes.data() + at;
    REQUIRE(load_be<std::uint64_t>(p) == kOptionReplyMagic);
    const auto size = load_be<std::uint32_t>(p + 16);
    REQUIRE(bytes.size() - at - kReplyHeader >= size);
    replies.push_back({load_be<std::uint32_t>(p + 8), OptionReply{load_be<std::uint32_t>(p + 12)},
                       Bytes(p + kReplyHeader, p + kReplyHeader + size)});
    at += kReplyHeader + size;
  }
  return replies;
}

std::vector<OptionReply> types_in(const Bytes& bytes) {
  std::vector<OptionReply> types;
  for (const Reply& reply : replies_in(bytes)) types.push_back(reply.type);
  return types;
}

Bytes text(std::string_view value) {
  Bytes bytes;
  append(bytes, static_cast<std::uint32_t>(value.size()));
  append(bytes, value);
  return bytes;
}

Bytes option(Option type, const Bytes& data = {}) {
  Bytes bytes;
  append(bytes, kOptionMagic);
  append(bytes, static_cast<std::uint32_t>(type));
  append(bytes, static_cast<std::uint32_t>(data.size()));
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

Bytes go_data(std::string_view name, std::initializer_list<std::uint16_t> wanted = {}) {
  Bytes bytes = text(name);
  append(bytes, static_cast<std::uint16_t>(wanted.size()));
  for (const auto type : wanted) append(bytes, type);
  return bytes;
}

Bytes queries(std::string_view name, std::initializer_list<std::string_view> wanted) {
  Bytes bytes = text(name);
  append(bytes, static_cast<std::uint32_t>(wanted.size()));
  for (const auto query : wanted) {
    const Bytes one = text(query);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

// A server's side of a negotiation.
class Side {
 public:
  explicit Side(std::uint32_t client_flags = kFixedNewstyle | kNoZeroes, Offer what = offered(),
                NegotiationLimits limits = {})
      : offer(std::move(what)), machine(offer, limits) {
    Bytes flags;
    append(flags, client_flags);
    static_cast<void>(feed(flags));
  }

  static Offer offered() { return {12'345, {}, 32 << 20, "a disk"}; }

  // All that is answered to `bytes`.
  Bytes feed(const Bytes& bytes) {
    Bytes answers;
    std::span<const std::byte> rest(bytes);
    for (;;) {
      const std::size_t taken = machine.take(rest, answers);
      REQUIRE(taken <= rest.size());
      if (taken == 0) break;
      rest = rest.subspan(taken);
    }
    return answers;
  }
  Bytes ask(Option type, const Bytes& data = {}) { return feed(option(type, data)); }

  Offer offer;
  Negotiation machine;
};

using State = Negotiation::State;
using Types = std::vector<OptionReply>;

TEST_CASE("the greeting offers fixed newstyle without padding") {
  Bytes greeting;
  Negotiation::greet(greeting);
  REQUIRE(greeting.size() == 18);
  CHECK(load_be<std::uint64_t>(greeting.data()) == 0x4e42444d41474943);
  CHECK(load_be<std::uint64_t>(greeting.data() + 8) == 0x49484156454f5054);
  CHECK(load_be<std::uint16_t>(greeting.data() + 16) == 3);
}

TEST_CASE("unknown client flags and a wrong magic number end the connection") {
  CHECK(Side(4).machine.state() == State::kBroken);
  CHECK(Side(0).machine.state() == State::kGoingOn);
  Side side;
  Bytes bytes = option(Option::kList);
  bytes[0] = std::byte{1};
  CHECK(side.feed(bytes).empty());
  CHECK(side.machine.state() == State::kBroken);
}

TEST_CASE("GO tells of the export and leads to transmission") {
  Side side;
  const auto replies = replies_in(side.ask(Option::kGo, go_data("")));
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].option == 7);
  CHECK(replies[0].type == OptionReply::kInfo);
  REQUIRE(replies[0].data.size() == 12);
  CHECK(load_be<std::uint16_t>(replies[0].data.data()) == 0);
  CHECK(load_be<std::uint64_t>(replies[0].data.data() + 2) == 12'345);
  // HAS_FLAGS, FLUSH, FUA, TRIM, WRITE_ZEROES
  CHECK(load_be<std::uint16_t>(replies[0].data.data() + 10) == 0b0110'1101);
  CHECK(replies[1].type == OptionReply::kAck);
  CHECK(side.machine.state() == State::kTransmission);
  CHECK_FALSE(side.machine.agreed().structured_replies);
}

TEST_CASE("INFO answers what was asked for, once, and goes on") {
  Side side;
  const auto replies = replies_in(side.ask(Option::kInfo, go_data("", {3, 1, 2, 3, 77})));
  REQUIRE(replies.size() == 5);
  CHECK(replies[1].data == Bytes{std::byte{0}, std::byte{1}});
  CHECK(replies[2].data.size() == 2 + 6);
  REQUIRE(replies[3].data.size() == 14);
  CHECK(load_be<std::uint32_t>(replies[3].data.data() + 2) == 1);
  CHECK(load_be<std::uint32_t>(replies[3].data.data() + 6) == 4096);
  CHECK(load_be<std::uint32_t>(replies[3].data.data() + 10) == 32 << 20);
  CHECK(side.machine.state() == State::kGoingOn);
}

TEST_CASE("features and structured replies show in the transmission flags") {
  Offer offer = Side::offered();
  CHECK(offer.transmission_flags(true) == 0b1110'1101);
  offer.features.multi_conn = true;
  CHECK(offer.transmission_flags(false) == 0b1'0110'1101);
  offer.features.fast_zero = true;
  CHECK(offer.transmission_flags(false) == 0b1001'0110'1101);
  offer.features = {
      .read_only = true, .flush = false, .fua = false, .trim = false, .zeroes = false};
  CHECK(offer.transmission_flags(false) == 0b11);
  Side side;
  CHECK(types_in(side.ask(Option::kStructuredReply)) == Types{OptionReply::kAck});
  const auto replies = replies_in(side.ask(Option::kGo, go_data("")));
  CHECK(load_be<std::uint16_t>(replies[0].data.data() + 10) == 0b1110'1101);
  CHECK(side.machine.agreed().structured_replies);
}

TEST_CASE("an export of another name is unknown") {
  Side side;
  CHECK(types_in(side.ask(Option::kGo, go_data("disk"))) == Types{OptionReply::kUnknown});
  CHECK(types_in(side.ask(Option::kInfo, go_data("disk"))) == Types{OptionReply::kUnknown});
  CHECK(side.machine.state() == State::kGoingOn);
  CHECK(side.ask(Option::kExportName, {std::byte{'x'}}).empty());
  CHECK(side.machine.state() == State::kBroken);
}

TEST_CASE("EXPORT_NAME is answered with or without padding") {
  CHECK(Side(kFixedNewstyle | kNoZeroes).ask(Option::kExportName).size() == 10);
  Side old(0);
  CHECK(old.ask(Option::kExportName).size() == 134);
  CHECK(old.machine.state() == State::kTransmission);
}

TEST_CASE("LIST shows the one export") {
  Side side;
  const auto replies = replies_in(side.ask(Option::kList));
  REQUIRE(replies.size() == 2);
  CHECK(replies[0].type == OptionReply::kServer);
  Bytes expected = text("");
  append(expected, std::string_view("a disk"));
  CHECK(replies[0].data == expected);
  CHECK(replies[1].type == OptionReply::kAck);
}

TEST_CASE("ABORT is acknowledged, with data too, and ends") {
  Side side;
  CHECK(types_in(side.ask(Option::kAbort, text("why"))) == Types{OptionReply::kAck});
  CHECK(side.machine.state() == State::kEnded);
  CHECK(side.ask(Option::kList).empty());
}

TEST_CASE("what is not known is refused, and the next option is understood") {
  Side side;
  CHECK(types_in(side.ask(Option::kStartTls)) == Types{OptionReply::kUnsupported});
  CHECK(types_in(side.ask(Option{4711}, text("data"))) == Types{OptionReply::kUnsupported});
  CHECK(types_in(side.ask(Option::kList)) == Types{OptionReply::kServer, OptionReply::kAck});
}

TEST_CASE("data that does not fit is invalid") {
  Side side;
  const Types invalid{OptionReply::kInvalid};
  CHECK(types_in(side.ask(Option::kList, text(""))) == invalid);
  CHECK(types_in(side.ask(Option::kStructuredReply, text(""))) == invalid);
  CHECK_FALSE(side.machine.agreed().structured_replies);
  CHECK(types_in(side.ask(Option::kGo)) == invalid);
  CHECK(types_in(side.ask(Option::kGo, text(""))) == invalid);
  for (const int change : {-1, 1}) {
    Bytes data = go_data("", {0, 3});
    data.resize(data.size() + static_cast<std::size_t>(2 * change));
    CHECK(types_in(side.ask(Option::kGo, data)) == invalid);
  }
  Bytes longer;
  append(longer, std::uint32_t{0xffff'ffff});
  append(longer, std::uint16_t{0});
  CHECK(types_in(side.ask(Option::kGo, longer)) == invalid);
  CHECK(types_in(side.ask(Option::kGo, go_data(std::string(4097, 'n')))) == invalid);
  CHECK(side.machine.state() == State::kGoingOn);
}

TEST_CASE("metadata contexts are listed and selected") {
  Side side;
  const Types none{OptionReply::kAck};
  const Types one{OptionReply::kMetaContext, OptionReply::kAck};
  const Types invalid{OptionReply::kInvalid};
  const auto list = [&](const Bytes& data) {
    return types_in(side.ask(Option::kListMetaContext, data));
  };
  const auto set = [&](const Bytes& data) {
    return types_in(side.ask(Option::kSetMetaContext, data));
  };
  CHECK(set(queries("", {"base:allocation"})) == invalid);  // needs structured replies
  side.ask(Option::kStructuredReply);

  CHECK(list(queries("", {})) == one);
  CHECK(list(queries("", {"base:"})) == one);
  CHECK(list(queries("", {"qemu:x", "base:allocation", "base:"})) == one);
  CHECK(list(queries("", {"base:other"})) == none);
  CHECK(list(queries("disk", {})) == Types{OptionReply::kUnknown});
  CHECK_FALSE(side.machine.agreed().allocation);

  CHECK(set(queries("", {"x-other:", "base:allocation"})) == one);
  CHECK(side.machine.agreed().allocation);
  for (const auto& data :
       {queries("", {}), queries("", {"base:"}), queries("disk", {}), text("")}) {
    set(queries("", {"base:allocation"}));
    CHECK(set(data) != one);
    CHECK_FALSE(side.machine.agreed().allocation);  // what was set before is gone
  }
  Bytes cut = queries("", {"base:allocation"});
  cut.pop_back();
  CHECK(set(cut) == invalid);
  cut.resize(cut.size() + 2);
  CHECK(set(cut) == invalid);
  Bytes many = text("");
  append(many, std::uint32_t{0xffff'ffff});
  CHECK(set(many) == invalid);

  const auto replies =
      replies_in(side.ask(Option::kSetMetaContext, queries("", {"base:allocation"})));
  Bytes expected;
  append(expected, kAllocationContext);
  append(expected, std::string_view("base:allocation"));
  CHECK(replies[0].data == expected);
}

TEST_CASE("an option that is too long is passed over, whatever pieces it comes in") {
  Side side;
  side.ask(Option::kStructuredReply);
  side.ask(Option::kSetMetaContext, queries("", {"base:allocation"}));
  REQUIRE(side.machine.agreed().allocation);
  const Bytes bytes = option(Option::kSetMetaContext, Bytes(kMostOptionData + 1));
  Bytes answers;
  std::span<const std::byte> rest(bytes);
  std::size_t pieces = 0;
  while (!rest.empty()) {
    const auto piece = rest.first(std::min<std::size_t>(rest.size(), 1000));
    const std::size_t taken = side.machine.take(piece, answers);
    REQUIRE(taken > 0);
    rest = rest.subspan(taken);
    ++pieces;
  }
  CHECK(pieces > 16);
  CHECK(types_in(answers) == Types{OptionReply::kTooBig});
  CHECK_FALSE(side.machine.agreed().allocation);  // what was set before is gone
  CHECK(types_in(side.ask(Option::kList)) == Types{OptionReply::kServer, OptionReply::kAck});
  side.ask(Option::kExportName, Bytes(kMostOptionData + 1));
  CHECK(side.machine.state() == State::kBroken);
}

TEST_CASE("nothing is taken of a message that is not whole") {
  Side side;
  const Bytes bytes = option(Option::kGo, go_data("", {3}));
  Bytes answers;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(side.machine.take(std::span(bytes).first(size), answers) == 0);
  }
  CHECK(answers.empty());
  CHECK(side.machine.take(bytes, answers) == bytes.size());
}

TEST_CASE("options are counted, and so are their bytes") {
  const NegotiationLimits limits{3, 100};
  Side many(kFixedNewstyle, Side::offered(), limits);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(many.ask(Option::kList).empty());
  CHECK(many.ask(Option::kList).empty());
  CHECK(many.machine.state() == State::kBroken);

  Side large(kFixedNewstyle, Side::offered(), limits);
  CHECK_FALSE(large.ask(Option{99}, Bytes(60)).empty());
  CHECK(large.ask(Option{99}, Bytes(41)).empty());
  CHECK(large.machine.state() == State::kBroken);

  Side exact(kFixedNewstyle, Side::offered(), limits);
  CHECK_FALSE(exact.ask(Option{99}, Bytes(60)).empty());
  CHECK_FALSE(exact.ask(Option{99}, Bytes(40)).empty());
  CHECK(exact.machine.state() == State::kGoingOn);

  // Four gigabytes that are only announced.
  Side announced;
  Bytes header = option(Option{99});
  store_be(header.data() + 12, std::uint32_t{0xffff'ffff});
  CHECK(announced.feed(header).empty());
  CHECK(announced.machine.state() == State::kBroken);
}

}  // namespace
}  // namespace shunt::nbd
