// SHA-256 of bytes as they come (FIPS 180-4), by OpenSSL, which uses the processor's instructions.
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
// std::runtime_error when OpenSSL fails, which is a bug or exhausted memory.
class Sha256 {
 public:
  Sha256();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  // 64 lower-case hex digits of all that came so far. More may follow.
  [[nodiscard]] std::string hex() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Of bytes that are all there.
[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace shunt::io
