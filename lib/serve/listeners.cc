#include "shunt/serve/listeners.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "shunt/base/log.h"
#include "shunt/io/kernel.h"
#include "shunt/io/temporary.h"
#include "shunt/nbd/server.h"
#include "shunt/text/ascii.h"

namespace shunt::serve {

Result<Address> parse_address(std::string_view text) {
  Address address;
  if (text == "fd") {
    address.kind = Address::Kind::kInherited;
    return address;
  }
  if (text.starts_with("unix:") && text.size() > 5) {
    address.kind = Address::Kind::kUnix;
    address.path = text.substr(5);
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (text.starts_with("tcp:") && colon > 4) {
    address.kind = Address::Kind::kTcp;
    std::string_view host = text.substr(4, colon - 4);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    address.host = host;
    const auto port = ascii::parse_number<std::uint16_t>(text.substr(colon + 1));
    if (port && !host.empty()) {
      address.port = *port;
      return address;
    }
  }
  return usage(fmt::format("\"{}\" is not an address: unix:PATH, tcp:HOST:PORT or fd", text));
}

namespace {

// Returns `path` for clients with another working directory. Names of sockets are limited in
// length; one that is too long as an absolute path can only be used relatively.
std::string for_others(const std::string& path) {
  std::error_code failed;
  std::string whole = std::filesystem::absolute(path, failed).string();
  return failed || whole.size() >= sizeof(sockaddr_un{}.sun_path) ? path : whole;
}

}  // namespace

Listeners::~Listeners() {
  if (!socket_path.empty()) (void)io::kernel().unlink(socket_path.c_str());
  if (!folder_.empty()) (void)io::kernel().rmdir(folder_.c_str());
}

Result<void> Listeners::open(const Address& address) {
  switch (address.kind) {
    case Address::Kind::kPrivate:
      return open_private();
    case Address::Kind::kUnix:
      return open_unix(address.path);
    case Address::Kind::kTcp: {
      SHUNT_ASSIGN(nbd::TcpListener listener, nbd::listen_tcp(address.host, address.port));
      uri = nbd::tcp_uri(address.host, listener.port);
      sockets.push_back(std::move(listener.socket));
      return {};
    }
    case Address::Kind::kInherited: {
      SHUNT_ASSIGN(sockets, nbd::inherited_listeners());
      return {};
    }
  }
  return {};
}

// Uses the first place that works: the runtime folder of a login may be set but not exist, as under
// su and sudo, or be too long for a socket's name.
Result<void> Listeners::open_private() {
  Result<void> opened;
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  for (const std::string& parent :
       {std::string(runtime == nullptr ? "" : runtime), io::folder_of_tmpdir().value_or(""),
        std::string("/tmp")}) {  // not /var/tmp: a socket's name must be short
    if (!parent.starts_with('/')) continue;
    opened = open_private_in(parent);
    if (opened) break;
    log::debug("no socket in {}: {}", parent, opened.error().reason);
  }
  return opened;
}

Result<void> Listeners::open_private_in(const std::string& parent) {
  std::string folder = parent + "/shunt-XXXXXX";
  if (io::kernel().make_temporary_folder(folder.data()) != 0) {
    return system_error(errno, parent, "make a folder in");
  }
  Result<void> opened = open_unix(folder + "/nbd.sock");
  if (opened) {
    folder_ = std::move(folder);
  } else {
    (void)io::kernel().rmdir(folder.c_str());
  }
  return opened;
}

Result<void> Listeners::open_unix(const std::string& path) {
  SHUNT_ASSIGN(io::Fd socket, nbd::listen_unix(path));
  socket_path = for_others(path);
  uri = nbd::unix_uri(socket_path);
  sockets.push_back(std::move(socket));
  return {};
}

}  // namespace shunt::serve
