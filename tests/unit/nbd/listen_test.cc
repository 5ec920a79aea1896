#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>

#include "unit/nbd/client.h"

namespace shunt::nbd {
namespace {

TEST_CASE("a socket at a path is for its owner alone, whatever the umask") {
  const test::TempDir dir;
  const mode_t before = ::umask(0);
  const auto socket = listen_unix(dir.file("socket"));
  ::umask(before);
  REQUIRE(socket);
  struct stat status {};
  REQUIRE(::stat(dir.file("socket").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  CHECK(Client(dir.file("socket")).connected());
}

TEST_CASE("a path that is taken or too long is an error") {
  const test::TempDir dir;
  REQUIRE(listen_unix(dir.file("socket")));
  const auto taken = listen_unix(dir.file("socket"));
  REQUIRE_FALSE(taken);
  CHECK(taken.error().system_errno == EADDRINUSE);
  const auto longer = listen_unix("/tmp/" + std::string(103, 'x'));
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == ErrorCode::kUsage);
  CHECK(longer.error().reason.find("107") != std::string::npos);
  CHECK(listen_unix("").error().code == ErrorCode::kUsage);
  CHECK(listen_unix(std::string("\0abstract", 9)).error().code == ErrorCode::kUsage);
  // The longest that there may be.
  std::string path = dir.path() + "/";
  path.append(107 - path.size(), 'x');
  const auto longest = listen_unix(path);
  REQUIRE(longest);
  CHECK(Client(path).connected());
}

TEST_CASE("a TCP listener tells its port, and serves") {
  auto listener = listen_tcp("127.0.0.1", 0);
  REQUIRE(listener);
  CHECK(listener->port != 0);
  CHECK_FALSE(listen_tcp("127.0.0.1", listener->port));
  CHECK(listen_tcp("", 0).error().code == ErrorCode::kUsage);

  test::MemoryExport target(1 << 20);
  std::vector<io::Fd> listeners;
  const std::uint16_t port = listener->port;
  listeners.push_back(std::move(listener->socket));
  Server server(target, std::move(listeners));
  CancelToken cancel;
  std::thread thread([&] { CHECK(server.run(cancel)); });
  const io::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  char greeting[18];
  CHECK(::recv(socket.get(), greeting, sizeof greeting, MSG_WAITALL) == sizeof greeting);
  server.stop();
  thread.join();
}

TEST_CASE("URIs have what they need escaped") {
  CHECK(unix_uri("/run/a-b_c.~9/s") == "nbd+unix:///?socket=/run/a-b_c.~9/s");
  CHECK(unix_uri("/tmp/a b&c=d?e#f%\xc3\xa4+") ==
        "nbd+unix:///?socket=/tmp/a%20b%26c%3Dd%3Fe%23f%25%C3%A4%2B");
  CHECK(tcp_uri("localhost", 10809) == "nbd://localhost:10809");
  CHECK(tcp_uri("127.0.0.1", 1) == "nbd://127.0.0.1:1");
  CHECK(tcp_uri("::1", 65535) == "nbd://[::1]:65535");
  CHECK(tcp_uri("fe80::1%eth0", 9) == "nbd://[fe80::1%25eth0]:9");
}

// What a process gets that was started with these; -1: an error, otherwise how many sockets.
int inherited(const std::function<void()>& prepare) {
  const pid_t child = ::fork();
  if (child == 0) {
    prepare();
    const auto listeners = inherited_listeners();
    int result = 100;
    if (listeners) {
      result = static_cast<int>(listeners->size());
      for (const io::Fd& listener : *listeners) {
        if ((::fcntl(listener.get(), F_GETFD) & FD_CLOEXEC) == 0) result = 101;
      }
      if (std::getenv("LISTEN_FDS") != nullptr) result = 102;
    } else if (listeners.error().code != ErrorCode::kUsage) {
      result = 103;
    }
    ::_exit(result);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status) == 100 ? -1 : WEXITSTATUS(status);
}

TEST_CASE("sockets that were handed over are taken, and nothing else") {
  const test::TempDir dir;
  const auto one = listen_unix(dir.file("one"));
  const auto two = listen_unix(dir.file("two"));
  REQUIRE(one);
  REQUIRE(two);
  const auto pass = [&](const std::string& pid, const char* count) {
    return inherited([&] {
      // By way of high numbers: the descriptors may themselves be 3 and 4.
      const int first = ::fcntl(one->get(), F_DUPFD, 100);
      const int second = ::fcntl(two->get(), F_DUPFD, 100);
      ::dup2(first, 3);
      ::dup2(second, 4);
      ::close(5);
      ::setenv("LISTEN_PID", pid.empty() ? std::to_string(::getpid()).c_str() : pid.c_str(), 1);
      ::setenv("LISTEN_FDS", count, 1);
    });
  };
  CHECK(pass("", "1") == 1);
  CHECK(pass("", "2") == 2);
  CHECK(pass("", "3") == -1);  // 5 is not open
  CHECK(pass("", "0") == -1);
  CHECK(pass("", "-1") == -1);
  CHECK(pass("", "2x") == -1);
  CHECK(pass("", "99999999999999999999") == -1);
  CHECK(pass("1", "1") == -1);
  CHECK(inherited([] { ::unsetenv("LISTEN_FDS"); }) == -1);
}

}  // namespace
}  // namespace shunt::nbd
