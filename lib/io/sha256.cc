#include "shunt/io/sha256.h"

#include <array>
#include <stdexcept>

#include "shunt/base/crypto_library.h"

namespace shunt::io {
namespace {

void require(bool succeeded) {
  if (!succeeded) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  crypto().md_ctx_free(context);
}

Sha256::Sha256() : context_(crypto().md_ctx_new()) {
  require(context_ != nullptr);
  require(crypto().digest_init(context_.get(), crypto().sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
  require(crypto().digest_update(context_.get(), bytes.data(), bytes.size()) == 1);
}

void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text.data(), text.size())));
}

std::string Sha256::hex() const {
  // Finishing invalidates a context, so a copy is finished.
  const std::unique_ptr<evp_md_ctx_st, Free> copy(crypto().md_ctx_new());
  require(copy != nullptr);
  require(crypto().md_ctx_copy(copy.get(), context_.get()) == 1);
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  require(crypto().digest_final(copy.get(), digest.data(), &size) == 1);
  require(size == digest.size());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sum;
  sum.update(bytes);
  return sum.hex();
}

std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace shunt::io
