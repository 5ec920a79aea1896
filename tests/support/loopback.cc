#include "support/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace shunt::test {

namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int number) {
  const int yes = 1;
  ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

Socket::~Socket() {
  ::close(number_);
}

std::size_t Socket::read(std::span<char> into) {
  ssize_t count = 0;
  do {
    count = ::recv(number_, into.data(), into.size(), 0);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

bool Socket::write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

void Socket::shut_down() {
  ::shutdown(number_, SHUT_RDWR);
}

void Socket::reset_on_close() {
  const linger at_once{1, 0};
  ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

int connect_loopback(const std::string& host, std::uint16_t port) {
  sockaddr_in address = loopback(port);
  if (host != "localhost" && ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return -1;
  const int number = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (number < 0) return -1;
  if (::connect(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(number);
    return -1;
  }
  no_delay(number);
  return number;
}

Listener::Listener(Serve serve) : serve_(std::move(serve)) {
  listening_ = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  checked(::bind(listening_, reinterpret_cast<const sockaddr*>(&address), size), "bind");
  checked(::listen(listening_, 128), "listen");
  checked(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

void Listener::accept_all() {
  while (!stopping_) {
    pollfd waiting{listening_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const int number = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (number < 0) continue;
    no_delay(number);
    ++connections_;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, number] {
      Socket socket(number);
      {
        const std::lock_guard adding(mutex_);
        if (stopping_) return;
        open_.push_back(&socket);
      }
      serve_(socket);
      const std::lock_guard removing(mutex_);
      open_.remove(&socket);
    });
  }
}

void Listener::pause(double seconds) const {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
  while (!stopping_ && Clock::now() < until) {
    std::this_thread::sleep_until(std::min(until, Clock::now() + std::chrono::milliseconds(20)));
  }
}

void Listener::stop() {
  if (stopping_.exchange(true)) return;
  accepting_.join();
  ::close(listening_);
  {
    const std::lock_guard lock(mutex_);
    for (Socket* const socket : open_) socket->shut_down();
  }
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace shunt::test
