// Sockets on the loopback interface, for servers in tests.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace shunt::test {

// A connected socket. Waiting ends when it is shut down from another thread.
class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int number() const { return number_; }
  // Bytes read, 0 at the end and for every error.
  [[nodiscard]] std::size_t read(std::span<char> into);
  [[nodiscard]] bool write(std::span<const char> bytes);
  [[nodiscard]] bool write_text(std::string_view text) { return write({text.data(), text.size()}); }
  void shut_down();
  // Makes the close a reset (RST) rather than an end.
  void reset_on_close();

 private:
  const int number_;
};

// Connects to a port of this machine; -1 when that fails.
[[nodiscard]] int connect_loopback(const std::string& host, std::uint16_t port);

// Listens on a free port; each connection has a thread of its own.
class Listener {
 public:
  using Serve = std::function<void(Socket&)>;

  explicit Listener(Serve serve);
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned connections() const { return connections_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  // Sleeps in small steps, so that stop() need not wait.
  void pause(double seconds) const;
  // Ends all connections and waits for their threads.
  void stop();

 private:
  void accept_all();

  Serve serve_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> connections_{0};
  std::mutex mutex_;
  std::list<Socket*> open_;
  std::list<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace shunt::test
