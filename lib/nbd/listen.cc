// Listening sockets: created here, or passed by a service manager.
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "shunt/io/kernel.h"
#include "shunt/nbd/server.h"
#include "shunt/text/ascii.h"

namespace shunt::nbd {

namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kMostInherited = 64;

Error cannot_listen(std::string_view path, std::string_view reason) {
  Error error = usage(reason).with_path(path);
  error.operation = "listen";
  return error;
}

// Returns the number in the environment variable `name`.
std::optional<long> number_of(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::nullopt : ascii::parse_number<long>(text);
}

bool is_listening_stream(int fd) {
  int listening = 0;
  int type = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0) return false;
  size = sizeof type;
  return listening != 0 && ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
         type == SOCK_STREAM;
}

Result<TcpListener> listen_at(const addrinfo& address, std::string_view where) {
  io::Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, address.ai_protocol));
  if (!socket.valid()) return system_error(errno, where, "socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    return system_error(errno, where, "bind");
  }
  if (::listen(socket.get(), SOMAXCONN) != 0) return system_error(errno, where, "listen");
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return system_error(errno, where, "getsockname");
  }
  const auto port = bound.ss_family == AF_INET6
                        ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                        : reinterpret_cast<const sockaddr_in&>(bound).sin_port;
  return TcpListener{std::move(socket), ntohs(port)};
}

}  // namespace

Result<io::Fd> listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::size_t kLongest = sizeof address.sun_path - 1;
  if (path.empty() || path.find('\0') != std::string::npos) {
    return cannot_listen(path, "a socket needs a path");
  }
  if (path.size() > kLongest) {
    return cannot_listen(path, fmt::format("the path of a socket has at most {} bytes, this one {}",
                                           kLongest, path.size()))
        .with_hint("change to a folder closer to it and use a relative path");
  }
  path.copy(static_cast<char*>(address.sun_path), path.size());
  io::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return system_error(errno, path, "socket");
  // bind() gives the socket's mode to the path, so that others can never connect, and the process's
  // umask, which other threads use, stays unchanged.
  if (io::kernel().fchmod(socket.get(), 0600) != 0) return system_error(errno, path, "chmod");
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int number = errno;
    const Error error = system_error(number, path, "bind");
    if (number != EADDRINUSE) return error;
    return error.with_hint("remove it if no other server uses it");
  }
  if (::listen(socket.get(), SOMAXCONN) != 0) {
    const int number = errno;
    io::kernel().unlink(path.c_str());
    return system_error(number, path, "listen");
  }
  return socket;
}

Result<TcpListener> listen_tcp(const std::string& host, std::uint16_t port) {
  if (host.empty()) return cannot_listen("", "no host to listen at");
  const std::string where = tcp_uri(host, port);
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (failed == EAI_SYSTEM) return system_error(errno, where, "resolve");
  if (failed != 0) return cannot_listen(where, ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  Result<TcpListener> result = cannot_listen(where, "the host has no address");
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    result = listen_at(*at, where);
    if (result) break;
  }
  return result;
}

Result<std::vector<io::Fd>> inherited_listeners() {
  const auto process = number_of("LISTEN_PID");
  const auto count = number_of("LISTEN_FDS");
  // Child processes must not take these sockets.
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (process != ::getpid() || !count || *count < 1) {
    return cannot_listen("", "no socket was passed (LISTEN_PID, LISTEN_FDS)");
  }
  if (*count > kMostInherited) {
    return cannot_listen(
        "", fmt::format("{} sockets were passed, at most {} can be used", *count, kMostInherited));
  }
  std::vector<io::Fd> listeners;
  for (int fd = kFirstInherited; fd < kFirstInherited + static_cast<int>(*count); ++fd) {
    if (!is_listening_stream(fd)) {
      return cannot_listen("", fmt::format("descriptor {} is not a listening stream socket", fd));
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    listeners.emplace_back(fd);
  }
  return listeners;
}

}  // namespace shunt::nbd
