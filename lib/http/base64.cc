#include "shunt/http/base64.h"

#include <algorithm>

#include "shunt/base/crypto_library.h"
#include "shunt/text/ascii.h"

namespace shunt::http {

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = crypto().encode_block(reinterpret_cast<unsigned char*>(text.data()),
                                         reinterpret_cast<const unsigned char*>(bytes.data()),
                                         static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  const bool plain = std::ranges::all_of(
      text, [](char c) { return ascii::is_alphanumeric(c) || c == '+' || c == '/'; });
  constexpr std::size_t kMost = std::size_t{1} << 20;
  if (!plain || text.size() % 4 == 1 || text.size() > kMost) return std::nullopt;
  std::string padded(text);
  padded.resize((text.size() + 3) / 4 * 4, '=');
  std::string bytes(padded.size() / 4 * 3 + 1, '\0');
  const int size = crypto().decode_block(reinterpret_cast<unsigned char*>(bytes.data()),
                                         reinterpret_cast<const unsigned char*>(padded.data()),
                                         static_cast<int>(padded.size()));
  if (size < 0) return std::nullopt;
  // The decoder outputs zeros for the padding.
  bytes.resize(text.size() * 3 / 4);
  return bytes;
}

}  // namespace shunt::http
