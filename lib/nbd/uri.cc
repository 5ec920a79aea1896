// How clients name a server (doc/uri.md of the NetworkBlockDevice project; RFC 3986).
#include <fmt/format.h>

#include "nbd/server.h"

namespace shunt::nbd {

namespace {

// Characters that mean nothing in a query (RFC 3986, 2.3), and the slash.
bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~' || c == '/';
}

}  // namespace

std::string unix_uri(std::string_view path) {
  std::string uri = "nbd+unix:///?socket=";
  for (const char c : path) {
    if (stands_for_itself(c)) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

std::string tcp_uri(std::string_view host, std::uint16_t port) {
  if (host.find(':') == std::string_view::npos) return fmt::format("nbd://{}:{}", host, port);
  // Of an address of IPv6 with a zone, the sign before the zone has to be escaped (RFC 6874).
  std::string address(host);
  if (const auto zone = address.find('%'); zone != std::string::npos)
    address.insert(zone + 1, "25");
  return fmt::format("nbd://[{}]:{}", address, port);
}

}  // namespace shunt::nbd
