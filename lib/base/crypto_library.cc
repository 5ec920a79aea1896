#include "shunt/base/crypto_library.h"

#include <stdexcept>

#include "shunt/base/result.h"
#include "shunt/base/shared_library.h"

namespace shunt {
namespace {

Result<CryptoLibrary> load() {
  SHUNT_ASSIGN(SharedLibrary library, SharedLibrary::load(SHUNT_CRYPTO_SONAME, "libssl3"));
  CryptoLibrary crypto;
  library.find(crypto.md_ctx_new, "EVP_MD_CTX_new");
  library.find(crypto.md_ctx_free, "EVP_MD_CTX_free");
  library.find(crypto.md_ctx_copy, "EVP_MD_CTX_copy_ex");
  library.find(crypto.digest_init, "EVP_DigestInit_ex");
  library.find(crypto.digest_update, "EVP_DigestUpdate");
  library.find(crypto.digest_final, "EVP_DigestFinal_ex");
  library.find(crypto.sha256, "EVP_sha256");
  library.find(crypto.encode_block, "EVP_EncodeBlock");
  library.find(crypto.decode_block, "EVP_DecodeBlock");
  SHUNT_TRY(library.found_all());
  return crypto;
}

}  // namespace

const CryptoLibrary& crypto() {
  static const Result<CryptoLibrary> loaded = load();
  if (!loaded) throw std::runtime_error(loaded.error().describe() + "; " + loaded.error().hint);
  return *loaded;
}

}  // namespace shunt
