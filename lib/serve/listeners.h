// Where clients find the disk: an address as people write it, and the sockets that listen there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/fd.h"

namespace shunt::serve {

struct Address {
  enum class Kind {
    kPrivate,    // a unix socket in a folder that only we may enter, in the first of
                 // $XDG_RUNTIME_DIR, $TMPDIR and /tmp that will have it
    kUnix,       // at `path`
    kTcp,        // at `host` and `port`; port 0: a free one
    kInherited,  // sockets handed over by a service manager
  };
  Kind kind = Kind::kPrivate;
  std::string path;
  std::string host;
  std::uint16_t port = 0;
};

// "unix:PATH", "tcp:HOST:PORT" or "fd"; kUsage otherwise.
Result<Address> parse_address(std::string_view text);

// The sockets, what they are called, and what has to be taken away behind them.
class Listeners {
 public:
  Listeners() = default;
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;
  ~Listeners();

  Result<void> open(const Address& address);

  std::vector<io::Fd> sockets;
  // Absolute, also when the address is not: clients may stand elsewhere. But not where only a
  // relative name is short enough for a socket.
  std::string uri;          // empty: we were not told
  std::string socket_path;  // empty: none

 private:
  Result<void> open_private();
  Result<void> open_private_in(const std::string& parent);
  Result<void> open_unix(const std::string& path);

  std::string folder_;
};

}  // namespace shunt::serve
