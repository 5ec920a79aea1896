#include "shunt/nbd/loop.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "shunt/base/catching.h"
#include "shunt/base/log.h"

namespace shunt::nbd {

namespace {

using std::chrono::milliseconds;

// Interval for checking the CancelToken, which wakes nobody.
constexpr int kTickMs = 200;
// Pause after accepting failed for lack of descriptors or memory, unless a connection ends before.
constexpr milliseconds kAcceptPause{100};
// How long a new client waits for others to leave. Then an idle one is closed, since it may itself
// be waiting for the new one (nbdcopy begins when all of its connections are made). If nobody is
// connected who could free a descriptor, the server fails.
constexpr milliseconds kWithoutDescriptors{5'000};
// Connections accepted in one turn, so that existing ones get theirs in between.
constexpr int kAcceptedAtOnce = 4;
// Time for clients to take their last replies.
constexpr milliseconds kFarewell{2000};

// Errors of accept(2) that mean a lack of resources.
bool is_want_of_room(int number) {
  return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

// Errors of accept(2) about a single connection, which is gone or refused; the next one may
// succeed.
bool is_of_one_connection(int number) {
  switch (number) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    // Network errors pending on the new socket, which Linux reports here.
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

Server::Loop::Loop(Export& target, std::vector<io::Fd> listeners, ServerOptions options)
    : target_(target),
      listeners_(std::move(listeners)),
      options_(std::move(options)),
      piece_(kPieceSize),
      event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Server::Loop::signal_event() {
  const std::uint64_t one = 1;
  // Fails only if the counter is full.
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

void Server::Loop::wake() {
  signal_event();
}

void Server::Loop::stop() {
  stop_ = true;
  signal_event();
}

Result<void> Server::Loop::prepare() {
  if (!event_.valid()) return system_error(EMFILE, "", "serve clients");
  if (!reserve_.valid()) reserve_ = io::Fd(::fcntl(event_.get(), F_DUPFD_CLOEXEC, 0));
  if (!reserve_.valid()) return system_error(errno, "", "serve clients");
  return {};
}

Result<void> Server::Loop::run(const CancelToken& cancel) {
  SHUNT_TRY(prepare());
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    auto& most = options_.limits.connections;
    most = std::min<std::size_t>(most, std::max<rlim_t>(files.rlim_cur / 2, 1));
  }
  offer_ = {target_.size(), target_.features(), options_.limits.read_bytes, options_.description};
  for (const io::Fd& listener : listeners_) {
    const int flags = ::fcntl(listener.get(), F_GETFL);
    if (flags < 0 || ::fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
      return system_error(errno, "", "listen");
    }
  }
  while (!stop_ && !cancel.requested()) {
    if (Result<void> turned = catching([this] { return turn(true, kTickMs); }); !turned) {
      // Clients must not wait for a server that has ended.
      clients_.clear();
      listeners_.clear();
      return turned;
    }
  }
  finish();
  return {};
}

void Server::Loop::finish() {
  stopping_clients_ = true;
  for (const auto& client : clients_) client->connection.stop();
  serve_ready(true, Clock::now());
  remove_closed();
  const auto end = Clock::now() + kFarewell;
  for (auto now = Clock::now(); !clients_.empty() && now < end; now = Clock::now()) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - now).count() + 1;
    if (!turn(false, static_cast<int>(left))) break;
  }
  for (const auto& client : clients_) client->next = Next::kClosed;
  remove_closed();
}

Result<void> Server::Loop::turn(bool listening, int timeout_ms) {
  SHUNT_ASSIGN(const bool woken, wait(listening, timeout_ms));
  const auto now = Clock::now();
  serve_ready(woken, now);
  close_late(now);
  remove_closed();
  if (!listening || now < accept_after_) return {};
  bool looked = false;
  bool somebody_waits = false;
  for (const pollfd& entry : polled_) {
    const auto is_it = [&](const io::Fd& fd) { return fd.get() == entry.fd; };
    if (!std::ranges::any_of(listeners_, is_it)) continue;
    looked = true;
    if ((entry.revents & POLLIN) == 0) continue;
    somebody_waits = true;
    SHUNT_TRY(accept_from(entry.fd, now));
  }
  // The client that waited for room is gone: the next one's wait starts anew.
  if (looked && !somebody_waits) without_descriptors_since_.reset();
  remove_closed();  // some end at once
  return {};
}

// Returns true if the export is to be asked again: after a wake-up, or when nothing happened.
Result<bool> Server::Loop::wait(bool listening, int timeout_ms) {
  const auto now = Clock::now();
  timeout_ms = std::min(timeout_ms, timeout(now));
  polled_.clear();
  polled_.push_back({event_.get(), POLLIN, 0});
  for (const auto& client : clients_) {
    // Clients that wait for something else are left out: that one has disconnected is noticed in
    // its turn, after its earlier requests are done.
    const bool input = client->next == Next::kInput;
    const bool output = client->next == Next::kOutput;
    if (client->next == Next::kAgain) timeout_ms = 0;
    polled_.push_back({input || output ? client->transport.number() : -1,
                       static_cast<short>(input ? POLLIN : POLLOUT), 0});
  }
  if (listening && now >= accept_after_) {
    for (const io::Fd& listener : listeners_) polled_.push_back({listener.get(), POLLIN, 0});
  }
  const int count = ::poll(polled_.data(), polled_.size(), timeout_ms);
  if (count < 0 && errno != EINTR) return system_error(errno, "", "poll");
  if (count < 0) {
    polled_.resize(1);  // nothing is known about the others
    polled_.front().revents = 0;
  }
  if (polled_.front().revents == 0) return count == 0 && timeout_ms > 0;
  std::uint64_t signals = 0;
  static_cast<void>(!::read(event_.get(), &signals, sizeof signals));
  return true;
}

// Serves clients that poll() found ready, those with more to do, and with `all` those that wait for
// the export.
void Server::Loop::serve_ready(bool all, Clock::time_point now) {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    Client& client = *clients_[i];
    // Entry 0 is the event. While stopping, entries for the clients may be missing.
    const bool ready = i + 1 < polled_.size() && polled_[i + 1].revents != 0;
    if (ready || client.next == Next::kAgain || (all && client.next == Next::kExport) ||
        (all && stopping_clients_)) {
      serve(client, now);
    }
  }
}

void Server::Loop::serve(Client& client, Clock::time_point now) {
  const bool was_waiting = client.next == Next::kExport;
  client.next = client.connection.serve();
  if (was_waiting || client.connection.received_total() != client.received) client.heard = now;
  client.received = client.connection.received_total();
}

Server::Loop::Clock::time_point Server::Loop::deadline(const Client& client) const {
  if (client.connection.negotiating()) {
    return client.began + milliseconds(options_.limits.negotiation_ms);
  }
  if (client.next == Next::kInput && client.connection.within_request()) {
    return client.heard + milliseconds(options_.limits.stalled_request_ms);
  }
  return Clock::time_point::max();
}

int Server::Loop::timeout(Clock::time_point now) const {
  auto first = now + milliseconds(kTickMs);
  for (const auto& client : clients_) first = std::min(first, deadline(*client));
  if (accept_after_ > now) first = std::min(first, accept_after_);
  const auto left = std::chrono::ceil<milliseconds>(first - now).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void Server::Loop::close_late(Clock::time_point now) {
  for (const auto& client : clients_) {
    if (client->next == Next::kClosed || deadline(*client) > now) continue;
    log::debug("nbd: connection {}: nothing came for too long", client->connection.number());
    client->next = Next::kClosed;
  }
}

void Server::Loop::remove_closed() {
  std::vector<std::unique_ptr<Client>> closed;
  std::erase_if(clients_, [&](std::unique_ptr<Client>& client) {
    if (client->next != Next::kClosed) return false;
    closed.push_back(std::move(client));
    return true;
  });
  if (closed.empty()) return;
  std::size_t left = clients_.size() + closed.size();
  for (auto& client : closed) {
    const Departure departure = client->connection.departure(--left);
    log::debug("nbd: connection {} ended", client->connection.number());
    client.reset();
    if (options_.disconnected) options_.disconnected(departure);
  }
  accept_after_ = {};
  if (clients_.empty() && !reserve_.valid()) {
    reserve_ = io::Fd(::fcntl(event_.get(), F_DUPFD_CLOEXEC, 0));
  }
}

// Returns the connection to close for a new one: one in negotiation, one that has made no request,
// or one that only read; among these, the one not heard of for longest. Null if all have written.
Server::Loop::Client* Server::Loop::eviction_victim() const {
  using Asked = Transmission::Asked;
  const auto rank = [](const Client& client) {
    if (client.connection.negotiating()) return 0;
    return client.connection.asked() == Asked::kNothing ? 1 : 2;
  };
  Client* best = nullptr;
  for (const auto& client : clients_) {
    // A client within a request, or waiting for its reply, is not idle.
    const bool idle = client->next == Next::kInput && !client->connection.within_request();
    if (!client->connection.negotiating() &&
        (!idle || client->connection.asked() == Asked::kChange)) {
      continue;
    }
    const auto since = [](const Client& one) {
      return one.connection.negotiating() ? one.began : one.heard;
    };
    if (best == nullptr || rank(*client) < rank(*best) ||
        (rank(*client) == rank(*best) && since(*client) < since(*best))) {
      best = client.get();
    }
  }
  return best;
}

bool Server::Loop::make_room() {
  if (clients_.size() < options_.limits.connections) return true;
  Client* const one = eviction_victim();
  if (one == nullptr) return false;
  log::debug("nbd: connection {} is closed to make room for another", one->connection.number());
  one->next = Next::kClosed;
  remove_closed();
  return true;
}

Result<void> Server::Loop::no_descriptor(int number, Clock::time_point now) {
  const Error error = system_error(number, "", "accept a client");
  if (!without_descriptors_since_) without_descriptors_since_ = now;
  if (!std::exchange(told_of_descriptors_, true)) {
    log::warn("{}: {}; clients wait until there is room", error.operation, error.reason);
  }
  accept_after_ = now + kAcceptPause;
  if (now - *without_descriptors_since_ < kWithoutDescriptors) return {};
  if (clients_.empty()) return error;
  if (Client* const one = eviction_victim(); one != nullptr) {
    log::debug("nbd: connection {} is closed to make room for another", one->connection.number());
    one->next = Next::kClosed;
    remove_closed();
  }
  return {};
}

Result<void> Server::Loop::accept_from(int listener, Clock::time_point now) {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    io::Fd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) {
      const int number = errno;
      if (is_of_one_connection(number)) continue;
      if (number == EAGAIN || number == EWOULDBLOCK) return {};
      if (number == EMFILE && clients_.empty() && reserve_.valid()) {
        reserve_ = io::Fd();
        continue;
      }
      if (!is_want_of_room(number)) return system_error(number, "", "accept a client");
      return no_descriptor(number, now);
    }
    without_descriptors_since_.reset();
    if (!make_room()) {
      log::debug("nbd: there are {} connections; one more is refused", clients_.size());
      continue;
    }
    const Shared shared{target_, options_.served, piece_};
    clients_.push_back(std::make_unique<Client>(std::move(socket), shared, offer_, options_.limits,
                                                ++connections_, now));
    Client& client = *clients_.back();
    if (options_.connected) {
      options_.connected({client.connection.number(), client.transport.peer_process()});
    }
    serve(client, now);
  }
  return {};
}

}  // namespace shunt::nbd
