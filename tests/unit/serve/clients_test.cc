// Who went from a disk, and whether they were done with it.
#include "shunt/serve/clients.h"

#include <fmt/format.h>

#include "shunt/nbd/protocol.h"
#include "support/catch.h"

namespace {

using namespace shunt;
using serve::Clients;
using FlushIsFor = Clients::FlushIsFor;

constexpr nbd::Departure kWithoutLeave{.connection = 1, .left = 0, .asked_for_change = true};

nbd::Served request(std::uint64_t connection, std::string_view command, std::uint16_t flags = 0) {
  return {connection, command, flags, ByteRange::of(0, command == "flush" ? 0 : 4096), {}};
}

std::string trouble(const Clients& clients) {
  const auto done = clients.all_done();
  return done ? "" : done.error().reason;
}

}  // namespace

TEST_CASE("a client that takes leave is done, whatever it flushed") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "write"));
  clients.gone({.connection = 1, .asked_for_change = true, .took_leave = true});
  CHECK(trouble(clients).empty());
}

TEST_CASE("without leave, a client is done when a flush is behind all that it changed") {
  const char* const change = GENERATE("write", "zero", "trim");
  CAPTURE(change);
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, change));
  SECTION("a flush") {
    clients.served(request(1, "flush"));
    clients.served(request(1, "read"));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).empty());
  }
  SECTION("none") {
    clients.served(request(1, change));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients) ==
          "a client disconnected without NBD_CMD_DISC, without flushing 8.00 KiB of the 8.00 KiB "
          "that "
          "it had written");
    CHECK_FALSE(clients.all_done().error().hint.empty());
  }
  SECTION("a flush, and one more change") {
    clients.served(request(1, "flush"));
    clients.served(request(1, change));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).find("without flushing 4.00 KiB of the 8.00 KiB") != std::string::npos);
  }
  SECTION("a flush that failed") {
    nbd::Served flush = request(1, "flush");
    flush.error = "EIO";
    clients.served(flush);
    clients.gone(kWithoutLeave);
    CHECK_FALSE(trouble(clients).empty());
  }
  SECTION("a flush, and a change that was refused") {
    clients.served(request(1, "flush"));
    nbd::Served refused = request(1, change);
    refused.error = "EINVAL";
    clients.served(refused);
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).empty());
    CHECK(clients.all_granted().has_value() == (refused.command != "write"));
  }
  SECTION("only a change with FUA, which is no flush of those before") {
    clients.served(request(1, change, nbd::kFlagFua));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).find("without flushing 4.00 KiB of the 8.00 KiB") != std::string::npos);
  }
}

TEST_CASE("a write that was refused is one that the disk lacks") {
  Clients clients(FlushIsFor::kOne);
  nbd::Served refused{1, GENERATE("read", "zero", "trim", "flush"), 0, ByteRange::of(4096, 512),
                      "ENOSPC"};
  clients.served(refused);
  CHECK(clients.all_granted());
  refused.command = "write";
  clients.served(refused);
  // Nothing makes it good.
  clients.served(request(1, "write"));
  clients.served(request(1, "flush"));
  clients.gone({.connection = 1, .asked_for_change = true, .took_leave = true});
  CHECK(trouble(clients).empty());
  const auto granted = clients.all_granted();
  REQUIRE_FALSE(granted);
  CHECK(granted.error().reason == "a client's write of 512 B at byte 4096 was refused (ENOSPC)");
  CHECK(granted.error().hint.find("--size") != std::string::npos);
}

TEST_CASE("changes with FUA are flushed") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "write", nbd::kFlagFua));
  clients.served(request(1, "zero", nbd::kFlagFua));
  clients.gone(kWithoutLeave);
  CHECK(trouble(clients).empty());
}

TEST_CASE("a client that goes within a request is not done, though all before is flushed") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "write"));
  clients.served(request(1, "flush"));
  nbd::Departure departure = kWithoutLeave;
  departure.unanswered = true;
  clients.gone(departure);
  CHECK(trouble(clients).find("in the middle of a request") != std::string::npos);
}

TEST_CASE("a flush is for one connection, or for all") {
  for (const bool all : {false, true}) {
    CAPTURE(all);
    Clients clients(all ? FlushIsFor::kAll : FlushIsFor::kOne);
    clients.served(request(1, "write"));
    clients.served(request(2, "flush"));
    clients.gone({.connection = 1, .left = 1, .asked_for_change = true});
    clients.gone({.connection = 2});
    CHECK(trouble(clients).empty() == all);
  }
}

TEST_CASE("what a client had written and not flushed is that of its program") {
  Clients clients(FlushIsFor::kAll);
  const std::string_view gone = "a client disconnected without NBD_CMD_DISC, without flushing ";
  // Connections 1 and 2 are of one program, 3 is of another, and of 4 nothing is known.
  clients.come({.connection = 1, .process = 100});
  clients.come({.connection = 2, .process = 100});
  clients.come({.connection = 3, .process = 200});
  clients.come({.connection = 4});
  clients.come({.connection = 5});
  SECTION("over several connections") {
    clients.served(request(1, "write"));
    clients.served(request(3, "flush"));
    for (const std::uint64_t connection : {1U, 2U, 3U, 3U, 4U}) {
      clients.served(request(connection, "write"));
    }
    clients.gone({.connection = 1, .left = 4, .asked_for_change = true});
    CHECK(trouble(clients) == fmt::format("{}8.00 KiB of the 12.0 KiB that it had written", gone));
  }
  SECTION("also over those that have gone") {
    clients.served(request(1, "write"));
    clients.served(request(2, "write"));
    clients.served(request(2, "flush"));
    clients.gone({.connection = 1, .left = 4, .asked_for_change = true});
    clients.served(request(2, "write"));
    clients.gone({.connection = 2, .left = 3, .asked_for_change = true});
    CHECK(trouble(clients) == fmt::format("{}4.00 KiB of the 12.0 KiB that it had written", gone));
  }
  SECTION("over one, where the program is not known") {
    for (const std::uint64_t connection : {1U, 4U, 5U, 5U}) {
      clients.served(request(connection, "write"));
    }
    clients.gone({.connection = 4, .left = 4, .asked_for_change = true});
    CHECK(trouble(clients) == fmt::format("{}4.00 KiB of the 4.00 KiB that it had written", gone));
  }
  SECTION("within a request") {
    clients.served(request(1, "write"));
    clients.served(request(2, "write"));
    clients.gone({.connection = 1, .left = 4, .asked_for_change = true, .unanswered = true});
    CHECK(trouble(clients).ends_with("it had written 8.00 KiB"));
  }
}

TEST_CASE("who only looks on is no trouble, and changes nothing") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "read"));
  clients.gone({.connection = 1, .left = 1, .unanswered = true});
  CHECK(trouble(clients).empty());
  CHECK_FALSE(clients.changed());
  clients.served(request(2, "flush"));
  CHECK_FALSE(clients.changed());
  clients.served(request(2, GENERATE("write", "zero", "trim")));
  CHECK(clients.changed());
}

TEST_CASE("who is still there when the server stops is told of as such") {
  Clients clients(FlushIsFor::kOne);
  clients.come({.connection = 1});
  clients.served(request(1, "write"));
  clients.served(request(1, "write", nbd::kFlagFua));
  clients.dismiss();
  SECTION("without a flush") {
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients) ==
          "a client was still connected, without flushing 4.00 KiB of the 8.00 KiB that it had "
          "written");
  }
  SECTION("within a request") {
    nbd::Departure departure = kWithoutLeave;
    departure.unanswered = true;
    clients.gone(departure);
    CHECK(trouble(clients).find("still connected, in the middle") != std::string::npos);
  }
  SECTION("flushed") {
    clients.served(request(1, "flush"));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).empty());
  }
  SECTION("it would have gone on, and takes leave") {
    clients.served(request(1, "flush"));
    nbd::Served late = request(1, "write");
    late.error = "ESHUTDOWN";
    clients.served(late);
    clients.gone({.connection = 1, .asked_for_change = true, .took_leave = true});
    CHECK(trouble(clients).find("still wrote") != std::string::npos);
  }
}

TEST_CASE("one that was not done is not made good by others") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "write"));
  clients.gone(kWithoutLeave);
  clients.served(request(2, "write"));
  clients.gone({.connection = 2, .asked_for_change = true, .took_leave = true});
  CHECK(trouble(clients).find("without flushing 4.00 KiB of the 4.00 KiB") != std::string::npos);
}

TEST_CASE("a disk is deserted when one that wrote has gone, and for a while nobody was there") {
  using std::chrono::seconds;
  const Clients::Clock::time_point start{};
  Clients clients(FlushIsFor::kOne);
  CHECK_FALSE(clients.deserted(seconds(0), start));
  CHECK(clients.quiet(seconds(0), start));
  clients.come({.connection = 1});
  clients.come({.connection = 2});
  clients.gone({.connection = 1, .left = 1}, start);
  CHECK_FALSE(clients.deserted(seconds(0), start + seconds(10)));
  CHECK_FALSE(clients.quiet(seconds(0), start + seconds(10)));
  clients.gone({.connection = 2, .left = 0, .took_leave = true}, start + seconds(10));
  CHECK(clients.quiet(seconds(5), start + seconds(15)));
  // Both only looked.
  CHECK_FALSE(clients.deserted(seconds(0), start + seconds(100)));

  clients.come({.connection = 3});
  clients.served(request(3, GENERATE("flush", "zero", "trim", "write")));
  clients.gone({.connection = 3, .took_leave = true}, start + seconds(200));
  CHECK_FALSE(clients.deserted(seconds(5), start + seconds(204)));
  CHECK(clients.deserted(seconds(5), start + seconds(205)));
  // Who looks on meanwhile is waited for; from then on, somebody may come again.
  clients.come({.connection = 4});
  CHECK_FALSE(clients.deserted(seconds(0), start + seconds(206)));
  clients.gone({.connection = 4, .took_leave = true}, start + seconds(206));
  CHECK_FALSE(clients.deserted(seconds(5), start + seconds(210)));
  CHECK(clients.deserted(seconds(5), start + seconds(211)));
}
