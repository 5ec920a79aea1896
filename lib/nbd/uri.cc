// URIs for clients (doc/uri.md of the NetworkBlockDevice project; RFC 3986).
#include <fmt/format.h>

#include "shunt/nbd/server.h"
#include "shunt/text/ascii.h"

namespace shunt::nbd {

std::string unix_uri(std::string_view path) {
  return "nbd+unix:///?socket=" + ascii::percent_encoded(path, "/");
}

std::string tcp_uri(std::string_view host, std::uint16_t port) {
  if (host.find(':') == std::string_view::npos) return fmt::format("nbd://{}:{}", host, port);
  // In an IPv6 address the '%' before a zone must be escaped (RFC 6874).
  std::string address(host);
  if (const auto zone = address.find('%'); zone != std::string::npos)
    address.insert(zone + 1, "25");
  return fmt::format("nbd://[{}]:{}", address, port);
}

}  // namespace shunt::nbd
