// Incremental SHA-256 (FIPS 180-4) by OpenSSL, which uses the processor's instructions.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

extern "C" {
struct evp_md_ctx_st;
}

namespace shunt::io {

// Move-only; a moved-from one may only be destroyed or assigned to. One thread at a time. Throws
// std::runtime_error if OpenSSL fails (a bug, or exhausted memory).
class Sha256 {
 public:
  Sha256();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  // Returns the digest of all bytes so far as 64 lower-case hex digits. More bytes may follow.
  [[nodiscard]] std::string hex() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Returns the digest of the given bytes.
[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace shunt::io
