// libcrypto of OpenSSL, loaded when a digest is first asked for: its relocations take a quarter of
// the start of a program.
#pragma once

#include <openssl/evp.h>

namespace shunt {

// The functions that are used, as OpenSSL declares them.
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

// Loads it, the first time. From any thread. Throws std::runtime_error, with what to install, when
// it is not there: the package that the program comes in needs it.
[[nodiscard]] const CryptoLibrary& crypto();

}  // namespace shunt
