// The addresses at which clients find the disk, and the listening sockets.
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
    kPrivate,    // a unix socket in a folder of mode 0700, in the first usable of $XDG_RUNTIME_DIR,
                 // $TMPDIR and /tmp
    kUnix,       // at `path`
    kTcp,        // at `host` and `port`; port 0: any free one
    kInherited,  // sockets passed by a service manager
  };
  Kind kind = Kind::kPrivate;
  std::string path;
  std::string host;
  std::uint16_t port = 0;
};

// Parses "unix:PATH", "tcp:HOST:PORT" or "fd"; kUsage for anything else.
Result<Address> parse_address(std::string_view text);

// The sockets and their names. Removes the socket file and its folder when it goes away.
class Listeners {
 public:
  Listeners() = default;
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;
  ~Listeners();

  Result<void> open(const Address& address);

  std::vector<io::Fd> sockets;
  // Absolute even for a relative address, since clients may have another working directory;
  // relative only if the absolute path is too long for a socket.
  std::string uri;          // empty if unknown (inherited sockets)
  std::string socket_path;  // empty if there is none

 private:
  Result<void> open_private();
  Result<void> open_private_in(const std::string& parent);
  Result<void> open_unix(const std::string& path);

  std::string folder_;
};

}  // namespace shunt::serve
