// Clients that do not keep to the protocol, or to any pace: they are left, and cost others nothing.
#include <sys/resource.h>

#include <chrono>
#include <ctime>

#include "unit/nbd/client.h"

namespace shunt::nbd {
namespace {

using test::MemoryExport;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

ServerOptions impatient(int negotiation_ms, int stalled_request_ms) {
  ServerOptions options;
  options.limits.negotiation_ms = negotiation_ms;
  options.limits.stalled_request_ms = stalled_request_ms;
  return options;
}

bool works(const std::string& path) {
  Client client(path);
  return client.go() && client.write(1000, pattern(5000)) == 0U;
}

ServerOptions at_most(std::size_t connections) {
  ServerOptions options;
  options.limits.connections = connections;
  return options;
}

// Sends `request` again and again, and takes no reply; false: the server never stops reading.
bool fills_up(Client& deaf, const Bytes& request) {
  deaf.wait_at_most(300);
  for (int sent = 0; sent < 1'000'000; ++sent) {
    if (!deaf.send(request)) return true;
  }
  return false;
}

TEST_CASE("nonsense ends a connection at once") {
  MemoryExport target(1 << 20);
  const Serving serving(target);
  Client client(serving.path());
  SECTION("as client flags") {
    REQUIRE(client.send(Bytes(4, std::byte{0xff})));
  }
  SECTION("as an option") {
    REQUIRE(client.greet());
    REQUIRE(client.send(Bytes(16, std::byte{'G'})));
  }
  SECTION("as a request") {
    REQUIRE(client.go());
    REQUIRE(client.send(Bytes(kRequestSize, std::byte{1})));
  }
  SECTION("more options than there may be") {
    REQUIRE(client.greet());
    for (int i = 0; i < 128; ++i) REQUIRE(client.ask(Option{77}) == OptionReply::kUnsupported);
    CHECK_FALSE(client.ask(Option{77}));
  }
  SECTION("more data of options than there may be") {
    REQUIRE(client.greet());
    for (int i = 0; i < 6; ++i) {
      REQUIRE(client.ask(Option{77}, Bytes(10'000)) == OptionReply::kUnsupported);
    }
    CHECK_FALSE(client.ask(Option{77}, Bytes(10'000)));
  }
  SECTION("an endless option") {
    REQUIRE(client.greet());
    Bytes header;
    append(header, kOptionMagic);
    append(header, std::uint32_t{77});
    append(header, std::uint32_t{0xffff'ffff});
    REQUIRE(client.send(header));
  }
  CHECK(client.ended());
  CHECK(works(serving.path()));
}

TEST_CASE("a large option is refused and the connection goes on") {
  MemoryExport target(1 << 20);
  const Serving serving(target);
  Client client(serving.path());
  REQUIRE(client.greet());
  CHECK(client.ask(Option::kGo, Bytes(20'000)) == OptionReply::kTooBig);
  CHECK(client.ask(Option::kGo, Bytes(6)) == OptionReply::kAck);
  CHECK(client.write(0, pattern(10)) == 0U);
}

TEST_CASE("who does not come to an end with the negotiation is left") {
  MemoryExport target(1 << 20);
  const Serving serving(target, impatient(200, 60'000));
  const auto begin = Clock::now();
  Client silent(serving.path());
  Client half(serving.path());
  Client busy(serving.path());
  REQUIRE(half.greet());
  REQUIRE(half.send(Bytes(7, std::byte{'I'})));
  REQUIRE(busy.greet());
  // Saying something all the time does not help.
  while (busy.ask(Option{77}) && seconds_since(begin) < 60) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(silent.ended());
  CHECK(half.ended());
  CHECK(seconds_since(begin) >= 0.15);
  CHECK(seconds_since(begin) < 60);
}

TEST_CASE("half a request and then nothing: the connection is left, idle ones are not") {
  MemoryExport target(1 << 20);
  const Serving serving(target, impatient(600'000, 200));
  Client idle(serving.path());
  Client header(serving.path());
  Client payload(serving.path());
  REQUIRE(idle.go());
  REQUIRE(header.go());
  REQUIRE(payload.go());
  Bytes bytes = Client::request(Command::kWrite, 0, 100'000);
  REQUIRE(header.send(std::span(bytes).first(kRequestSize - 1)));
  bytes.resize(50'000);
  REQUIRE(payload.send(bytes));
  CHECK(header.ended());
  CHECK(payload.ended());
  CHECK(idle.write(0, pattern(10)) == 0U);
}

TEST_CASE("a client that goes within a request changes nothing for others") {
  MemoryExport target(1 << 20);
  const Serving serving(target);
  Client stays(serving.path());
  REQUIRE(stays.go());
  for (std::size_t size = 1; size < 3000; size += 97) {
    Client goes(serving.path());
    REQUIRE(goes.go());
    Bytes bytes = Client::request(Command::kWrite, 0, 3000);
    bytes.resize(size);
    REQUIRE(goes.send(bytes));
    goes.close();
    REQUIRE(stays.write(0, pattern(100)) == 0U);
  }
}

TEST_CASE("a thousand silent connections do not keep a good client from being served") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
  if (files.rlim_cur < 1200) {
    WARN("too few descriptors for this test");
    return;
  }

  MemoryExport target(1 << 20);
  const Serving serving(target);
  Client before(serving.path());
  REQUIRE(before.go());
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 1000; ++i) {
    silent.push_back(std::make_unique<Client>(serving.path()));
    REQUIRE(silent.back()->connected());
    if (i % 2 == 0) silent.back()->send(Bytes(3));
  }
  CHECK(works(serving.path()));
  CHECK(before.write(0, pattern(5000)) == 0U);
  // Those that waited for longest gave way, and those that came last are there.
  CHECK(silent.front()->ended());
  CHECK(silent.back()->greet());
}

// A sanitizer looks at memory by means of a pipe, which cannot be made then.
#ifndef SHUNT_SANITIZED

TEST_CASE("without descriptors left the server waits, and goes on when there are some") {
  MemoryExport target(1 << 20);
  const Serving serving(target);
  Client before(serving.path());
  REQUIRE(before.go());
  Client after(serving.path(), Client::Connecting::kLater);
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  rlimit few = files;
  few.rlim_cur = 3;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const bool connected = after.connect(serving.path());
  const std::clock_t begin = std::clock();
  after.wait_at_most(400);
  const bool greeted = after.receive(1).has_value();
  const double busy = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const auto served = before.write(0, pattern(100));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  CHECK(connected);
  CHECK_FALSE(greeted);
  CHECK(busy < 0.2);
  CHECK(served == 0U);
  after.wait_at_most(20'000);
  CHECK(after.go());
}

#endif

TEST_CASE("connections that write do not give way; one more is refused") {
  MemoryExport target(1 << 20);
  const Serving serving(target, at_most(3));
  Client clients[]{Client(serving.path()), Client(serving.path()), Client(serving.path())};
  for (Client& client : clients) REQUIRE(client.go());
  for (Client& client : clients) REQUIRE(client.write(0, pattern(10)) == 0U);
  Client refused(serving.path());
  CHECK(refused.ended());
  for (Client& client : clients) CHECK(client.write(0, pattern(10)) == 0U);
  clients[1].close();
  CHECK(eventually([&] { return works(serving.path()); }));
}

TEST_CASE("who has asked for nothing gives way, then who has only read, those silent for longest") {
  MemoryExport target(1 << 20);
  const Serving serving(target, at_most(4));
  Client reader(serving.path());
  Client writer(serving.path());
  Client silent(serving.path());
  Client later(serving.path());
  for (Client* client : {&reader, &writer, &silent, &later}) REQUIRE(client->go());
  const Bytes read = Client::request(Command::kFlush, 0, 0);
  REQUIRE(reader.error_of(read) == 0U);
  REQUIRE(writer.write(0, pattern(10)) == 0U);
  Client first(serving.path());
  REQUIRE(first.go());
  REQUIRE(first.write(0, pattern(10)) == 0U);
  CHECK(silent.ended());
  CHECK(reader.error_of(read) == 0U);
  Client second(serving.path());
  REQUIRE(second.go());
  REQUIRE(second.write(0, pattern(10)) == 0U);
  CHECK(later.ended());
  Client third(serving.path());
  REQUIRE(third.go());
  CHECK(reader.ended());
  for (Client* client : {&writer, &first, &second, &third}) {
    CHECK(client->write(0, pattern(10)) == 0U);
  }
}

TEST_CASE("who is in the middle of a first request does not give way") {
  MemoryExport target(1 << 20);
  const Serving serving(target, at_most(1));
  Client begun(serving.path());
  REQUIRE(begun.go());
  Bytes bytes = Client::request(Command::kWrite, 0, 100);
  REQUIRE(begun.send(std::span(bytes).first(5)));
  REQUIRE(begun.taken());
  Client refused(serving.path());
  CHECK(refused.ended());
  bytes.resize(bytes.size() + 100);
  REQUIRE(begun.send(std::span(bytes).subspan(5)));
  CHECK(begun.answer());
}

TEST_CASE("a client that takes no replies is not read from, and stop() does not wait for it") {
  MemoryExport target(64 << 20);
  std::atomic<int> served{0};
  ServerOptions options;
  options.served = [&](const Served&) { ++served; };
  Serving serving(target, options);
  Client deaf(serving.path());
  REQUIRE(deaf.go());
  CHECK(fills_up(deaf, Client::request(Command::kRead, 0, 32 << 20)));
  CHECK(served == 0);
  CHECK(works(serving.path()));
  const auto begin = Clock::now();
  CHECK(serving.stop());
  CHECK(seconds_since(begin) < 10);
}

TEST_CASE("replies that pile up stop the reading of requests") {
  MemoryExport target(1 << 20);
  std::atomic<int> served{0};
  ServerOptions options;
  options.served = [&](const Served&) { ++served; };
  const Serving serving(target, options);
  Client deaf(serving.path());
  REQUIRE(deaf.go());
  CHECK(fills_up(deaf, Client::request(Command::kTrim, 0, 512)));
  const int so_far = served;
  CHECK(so_far > 0);
  // It goes on where it stopped as soon as replies are taken.
  for (int i = 0; i < so_far; ++i) REQUIRE(deaf.answer());
  CHECK(eventually([&] { return served > so_far; }));
}

}  // namespace
}  // namespace shunt::nbd
