#include "shunt/nbd/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace shunt::nbd {

namespace {

msghdr message_of(std::span<const iovec> vectors) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(vectors.data());
  message.msg_iovlen = vectors.size();
  return message;
}

bool may_go_on() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

SocketTransport::SocketTransport(io::Fd socket) : socket_(std::move(socket)) {
  // Both fail on unix sockets, which need neither. Keep-alive ends idle connections whose peer has
  // lost power.
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

// The kernel says 0 for a process outside our PID namespace, or across a network.
pid_t SocketTransport::peer_process() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  const bool told = ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
  return told ? credentials.pid : 0;
}

Transport::Moved SocketTransport::receive(std::span<const iovec> into) {
  msghdr message = message_of(into);
  for (;;) {
    const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (got > 0) return {static_cast<std::size_t>(got), false};
    if (got == 0) return {0, true};
    if (errno != EINTR) return {0, !may_go_on()};
  }
}

Transport::Moved SocketTransport::send(std::span<const iovec> from) {
  const msghdr message = message_of(from);
  for (;;) {
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return {static_cast<std::size_t>(sent), false};
    if (errno != EINTR) return {0, !may_go_on()};
  }
}

}  // namespace shunt::nbd
