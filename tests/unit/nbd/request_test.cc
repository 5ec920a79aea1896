#include "shunt/nbd/request.h"

#include <cerrno>

#include "shunt/nbd/reply.h"
#include "support/catch.h"

namespace shunt::nbd {
namespace {

Request request(Command command, std::uint64_t offset, std::uint32_t length,
                std::uint16_t flags = 0) {
  return {flags, command, 7, offset, length};
}

Rules rules(bool structured = true) {
  Rules result;
  result.size = 1 << 30;
  result.agreed = {structured, structured};
  return result;
}

// The errno that a request is refused with; empty: none.
std::string_view refusal(const Request& what, const Rules& by = rules()) {
  const auto failure = check_request(what, by);
  if (failure) CHECK_FALSE(failure->text.empty());
  return failure ? name_of(failure->number) : std::string_view();
}

TEST_CASE("a request is taken apart") {
  Bytes bytes;
  append(bytes, std::uint32_t{0x25609513});
  append(bytes, std::uint16_t{0x0102});
  append(bytes, std::uint16_t{6});
  append(bytes, std::uint64_t{0x1122334455667788});
  append(bytes, std::uint64_t{0x0a0b0c0d0e0f0001});
  append(bytes, std::uint32_t{0x01020304});
  const auto decoded = decode_request(std::span(bytes).first<kRequestSize>());
  REQUIRE(decoded);
  CHECK(decoded->flags == 0x0102);
  CHECK(decoded->command == Command::kWriteZeroes);
  CHECK(decoded->cookie == 0x1122334455667788);
  CHECK(decoded->offset == 0x0a0b0c0d0e0f0001);
  CHECK(decoded->length == 0x01020304);
  bytes[3] = std::byte{0x14};
  CHECK_FALSE(decode_request(std::span(bytes).first<kRequestSize>()));
}

TEST_CASE("a range has to lie within the export") {
  const std::uint64_t size = rules().size;
  for (const auto& [command, beyond] :
       {std::pair{Command::kRead, "EINVAL"}, std::pair{Command::kTrim, "EINVAL"},
        std::pair{Command::kBlockStatus, "EINVAL"}, std::pair{Command::kWrite, "ENOSPC"},
        std::pair{Command::kWriteZeroes, "ENOSPC"}}) {
    CHECK(refusal(request(command, size - 10, 10)).empty());
    CHECK(refusal(request(command, 0, 1)).empty());
    CHECK(refusal(request(command, size - 10, 11)) == beyond);
    CHECK(refusal(request(command, size, 1)) == beyond);
    CHECK(refusal(request(command, UINT64_MAX, 1)) == beyond);
    CHECK(refusal(request(command, UINT64_MAX - 4, 100)) == beyond);
    CHECK(refusal(request(command, 0, 0)) == "EINVAL");
  }
  CHECK(request(Command::kRead, UINT64_MAX - 4, 100).range() ==
        ByteRange{UINT64_MAX - 4, UINT64_MAX});
}

TEST_CASE("each command has its flags, and FUA is for all") {
  Rules all = rules();
  all.features.fast_zero = true;
  const auto allowed = [&](Command command, const Rules& by) {
    unsigned flags = 0;
    for (unsigned bit = 0; bit < 16; ++bit) {
      const auto flag = static_cast<std::uint16_t>(1U << bit);
      const std::uint32_t length = command == Command::kFlush ? 0 : 512;
      if (refusal(request(command, 0, length, flag), by).empty()) flags |= flag;
    }
    return flags;
  };
  CHECK(allowed(Command::kRead, all) == (kFlagFua | kFlagDf));
  CHECK(allowed(Command::kRead, rules(false)) == kFlagFua);
  CHECK(allowed(Command::kWrite, all) == kFlagFua);
  CHECK(allowed(Command::kFlush, all) == kFlagFua);
  CHECK(allowed(Command::kTrim, all) == kFlagFua);
  CHECK(allowed(Command::kWriteZeroes, all) == (kFlagFua | kFlagNoHole | kFlagFastZero));
  CHECK(allowed(Command::kWriteZeroes, rules()) == (kFlagFua | kFlagNoHole));
  CHECK(allowed(Command::kBlockStatus, all) == (kFlagFua | kFlagReqOne));
}

TEST_CASE("commands that are not there, and those that were not negotiated") {
  CHECK(refusal(request(Command{5}, 0, 512)) == "EINVAL");
  CHECK(refusal(request(Command{99}, 0, 0)) == "EINVAL");
  CHECK(refusal(request(Command::kBlockStatus, 0, 512), rules(false)) == "EINVAL");
  CHECK(refusal(request(Command::kFlush, 0, 0)).empty());
  CHECK(refusal(request(Command::kFlush, 0, 1)) == "EINVAL");
  CHECK(refusal(request(Command::kFlush, 1, 0)) == "EINVAL");
}

TEST_CASE("what an export does not have is refused, and what changes a read-only one") {
  const auto refused = [&](const Features& features, Command command, std::uint16_t flags = 0) {
    Rules by = rules();
    by.features = features;
    return refusal(request(command, 0, command == Command::kFlush ? 0 : 512, flags), by);
  };
  for (const Command command : {Command::kWrite, Command::kTrim, Command::kWriteZeroes}) {
    CHECK(refused({.read_only = true}, command) == "EPERM");
  }
  CHECK(refused({.read_only = true}, Command::kRead).empty());
  CHECK(refused({.read_only = true}, Command::kFlush).empty());
  CHECK(refused({.flush = false}, Command::kFlush) == "EINVAL");
  CHECK(refused({.trim = false}, Command::kTrim) == "EINVAL");
  CHECK(refused({.zeroes = false}, Command::kWriteZeroes) == "EINVAL");
  CHECK(refused({.fua = false}, Command::kWrite, kFlagFua) == "EINVAL");
  CHECK(refused({.fua = false}, Command::kWrite).empty());
}

TEST_CASE("payloads are bounded, ranges without payload are not") {
  const std::uint32_t most = 32 << 20;
  CHECK(refusal(request(Command::kRead, 0, most)).empty());
  CHECK(refusal(request(Command::kRead, 0, most + 1)) == "EOVERFLOW");
  CHECK(refusal(request(Command::kWrite, 0, most)).empty());
  CHECK(refusal(request(Command::kWrite, 0, most + 1)) == "EINVAL");
  CHECK(refusal(request(Command::kTrim, 0, 1 << 30)).empty());
  CHECK(refusal(request(Command::kWriteZeroes, 0, 1 << 30)).empty());
  Rules small = rules();
  small.read_bytes = 4096;
  CHECK(refusal(request(Command::kRead, 0, 4097), small) == "EOVERFLOW");
}

TEST_CASE("an Error becomes what the protocol has for it") {
  const auto number = [](int system_errno, Command command = Command::kWrite,
                         std::uint16_t flags = 0) {
    const Error error = system_error(system_errno, "disk", "write");
    return name_of(failure_of(error, request(command, 0, 1, flags)).number);
  };
  CHECK(number(EPERM) == "EPERM");
  CHECK(number(ENOSPC) == "ENOSPC");
  CHECK(number(EDQUOT) == "ENOSPC");
  CHECK(number(EINVAL) == "EINVAL");
  CHECK(number(ENOMEM) == "ENOMEM");
  CHECK(number(EPIPE) == "EIO");
  CHECK(number(EIO) == "EIO");
  CHECK(number(ESHUTDOWN) == "ESHUTDOWN");
  CHECK(number(EOPNOTSUPP) == "EIO");
  CHECK(number(EOPNOTSUPP, Command::kWriteZeroes) == "EIO");
  CHECK(number(EOPNOTSUPP, Command::kWriteZeroes, kFlagFastZero) == "ENOTSUP");
  CHECK(number(EOVERFLOW) == "EINVAL");
  CHECK(number(EOVERFLOW, Command::kRead) == "EOVERFLOW");

  Error error;
  error.reason = "because";
  CHECK(name_of(failure_of(error, request(Command::kRead, 0, 1)).number) == "EIO");
  CHECK(failure_of(error, request(Command::kRead, 0, 1)).text == "because");
  error.code = ErrorCode::kInterrupted;
  CHECK(name_of(failure_of(error, request(Command::kRead, 0, 1)).number) == "ESHUTDOWN");
}

TEST_CASE("the text of an error is cut between characters") {
  // 4096 falls between the two bytes of a character.
  std::string text = "a";
  for (int i = 0; i < 3000; ++i) text += "\xc3\xa4";
  Bytes out;
  append_failure(out, 7, {Errno::kPermission, text}, true);
  REQUIRE(out.size() == kChunkHeaderSize + 6 + 4095);
  CHECK(load_be<std::uint32_t>(out.data() + 16) == 6 + 4095);
  CHECK(load_be<std::uint16_t>(out.data() + kChunkHeaderSize + 4) == 4095);
  CHECK(out.back() == std::byte{0xa4});
  out.clear();
  append_failure(out, 7, {Errno::kPermission, text}, false);
  CHECK(out.size() == kSimpleReplySize);
  CHECK(load_be<std::uint32_t>(out.data() + 4) == 1);
}

TEST_CASE("block status: cut at the end, joined, never empty, one when one was asked for") {
  using Extents = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  const auto status = [](const std::vector<Allocation>& found, std::uint16_t flags = 0) {
    Bytes out;
    append_block_status(out, request(Command::kBlockStatus, 100, 1000, flags), found);
    CHECK(load_be<std::uint32_t>(out.data() + 16) == out.size() - kChunkHeaderSize);
    CHECK(load_be<std::uint32_t>(out.data() + 20) == kAllocationContext);
    Extents extents;
    for (std::size_t at = 24; at < out.size(); at += 8) {
      extents.emplace_back(load_be<std::uint32_t>(out.data() + at),
                           load_be<std::uint32_t>(out.data() + at + 4));
    }
    return extents;
  };
  CHECK(status({}) == Extents{{1000, 0}});
  CHECK(status({{10, true, true}, {20, false, false}}) == Extents{{10, 3}, {20, 0}});
  CHECK(status({{10, false, true}, {0, true, false}, {20, false, true}}) == Extents{{30, 2}});
  CHECK(status({{10, true, false}, {UINT64_MAX, false, false}, {5, true, true}}) ==
        Extents{{10, 1}, {990, 0}});
  CHECK(status({{10, true, true}, {20, false, false}}, kFlagReqOne) == Extents{{10, 3}});
}

}  // namespace
}  // namespace shunt::nbd
