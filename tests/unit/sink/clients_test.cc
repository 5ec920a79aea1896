// Who went from a disk, and whether they were done with it.
#include "sink/clients.h"

#include "nbd/protocol.h"
#include "support/catch.h"

namespace {

using namespace shunt;
using sink::Clients;
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
    CHECK(trouble(clients).find("the last 8.00 KiB") != std::string::npos);
    CHECK_FALSE(clients.all_done().error().hint.empty());
  }
  SECTION("a flush, and one more change") {
    clients.served(request(1, "flush"));
    clients.served(request(1, change));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).find("the last 4.00 KiB") != std::string::npos);
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
  }
  SECTION("only a change with FUA, which is no flush of those before") {
    clients.served(request(1, change, nbd::kFlagFua));
    clients.gone(kWithoutLeave);
    CHECK(trouble(clients).find("the last 4.00 KiB") != std::string::npos);
  }
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

TEST_CASE("who only looks on is no trouble, and no sign that the disk was written") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "read"));
  clients.gone({.connection = 1, .left = 1, .unanswered = true});
  CHECK(trouble(clients).find("wrote nothing") != std::string::npos);
  SECTION("another one writes") {
    clients.served(request(2, "write"));
    clients.gone({.connection = 2, .asked_for_change = true, .took_leave = true});
    CHECK(trouble(clients).empty());
  }
  SECTION("another one takes leave") {
    clients.gone({.connection = 2, .took_leave = true});
    CHECK(trouble(clients).empty());
  }
}

TEST_CASE("a flush is a sign that a client is done, unless it had begun something else") {
  for (const bool unanswered : {false, true}) {
    CAPTURE(unanswered);
    Clients clients(FlushIsFor::kOne);
    clients.served(request(1, "flush"));
    clients.gone({.connection = 1, .unanswered = unanswered});
    CHECK(trouble(clients).empty() == !unanswered);
  }
}

TEST_CASE("one that was not done is not made good by others") {
  Clients clients(FlushIsFor::kOne);
  clients.served(request(1, "write"));
  clients.gone(kWithoutLeave);
  clients.served(request(2, "write"));
  clients.gone({.connection = 2, .asked_for_change = true, .took_leave = true});
  CHECK(trouble(clients).find("the last 4.00 KiB") != std::string::npos);
}

TEST_CASE("a disk is deserted when nobody has been there for a while") {
  using std::chrono::seconds;
  const Clients::Clock::time_point start{};
  Clients clients(FlushIsFor::kOne);
  CHECK_FALSE(clients.deserted(seconds(0), start));
  clients.come();
  clients.gone({.connection = 1, .left = 1}, start);
  CHECK_FALSE(clients.deserted(seconds(0), start + seconds(10)));
  clients.gone({.connection = 2, .left = 0}, start + seconds(10));
  CHECK_FALSE(clients.deserted(seconds(5), start + seconds(14)));
  CHECK(clients.deserted(seconds(5), start + seconds(15)));
  clients.come();
  CHECK_FALSE(clients.deserted(seconds(0), start + seconds(100)));
}
