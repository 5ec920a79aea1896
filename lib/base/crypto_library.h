// Loads libcrypto of OpenSSL when a digest is first needed: its relocations would take a quarter of
// the program's start.
#pragma once

#include <openssl/evp.h>

namespace shunt {

// The functions in use, as OpenSSL declares them.
struct CryptoLibrary {
  decltype(EVP_MD_CTX_new)* md_ctx_new = nullptr;
  decltype(EVP_MD_CTX_free)* md_ctx_free = nullptr;
  decltype(EVP_MD_CTX_copy_ex)* md_ctx_copy = nullptr;
  decltype(EVP_DigestInit_ex)* digest_init = nullptr;
  decltype(EVP_DigestUpdate)* digest_update = nullptr;
  decltype(EVP_DigestFinal_ex)* digest_final = nullptr;
  decltype(EVP_sha256)* sha256 = nullptr;
  decltype(EVP_EncodeBlock)* encode_block = nullptr;
  decltype(EVP_DecodeBlock)* decode_block = nullptr;
};

// Loads the library on the first call. Thread-safe. Throws std::runtime_error, naming the package
// to install, if it is missing; shunt's own package depends on it.
[[nodiscard]] const CryptoLibrary& crypto();

}  // namespace shunt
