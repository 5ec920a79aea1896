#include "remote/printable.h"

namespace shunt::remote {

std::string printable(std::string_view text, std::size_t limit) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  std::string line;
  for (const char c : text.substr(0, limit)) {
    if (c == '\n' || c == '\r' || c == '\t') {
      line += ' ';
    } else {
      line += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  if (text.size() > limit) line += "...";
  return line;
}

}  // namespace shunt::remote
