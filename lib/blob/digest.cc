#include "shunt/blob/digest.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/io/sha256.h"
#include "shunt/text/ascii.h"

namespace shunt::blob {
namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexSize = 64;

}  // namespace

bool is_digest(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + kHexSize) return false;
  return std::ranges::all_of(hex_of(text), ascii::is_lower_hex);
}

std::string_view hex_of(std::string_view digest) {
  return digest.substr(kPrefix.size());
}

std::string sha256_digest(std::string_view bytes) {
  return std::string(kPrefix) + io::sha256_hex(bytes);
}

Result<void> check_document(std::string_view bytes, const std::string& digest,
                            std::optional<std::uint64_t> size) {
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.operation = "check " + digest;
  if (size && *size != bytes.size()) {
    error.reason = fmt::format("it has {} bytes instead of {}", bytes.size(), *size);
    return error;
  }
  if (const std::string real = sha256_digest(bytes); real != digest) {
    error.reason = "the data has the digest " + real;
    return error;
  }
  return {};
}

}  // namespace shunt::blob
