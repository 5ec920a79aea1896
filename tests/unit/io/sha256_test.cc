#include "shunt/io/sha256.h"

#include <utility>

#include "support/catch.h"

namespace shunt::io {
namespace {

// FIPS 180-4, examples of NIST.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_CASE("SHA-256 of known texts") {
  CHECK(sha256_hex("") == kEmpty);
  CHECK(sha256_hex("abc") == kAbc);
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("SHA-256 of bytes that come in parts, looked at on the way") {
  Sha256 sum;
  CHECK(sum.hex() == kEmpty);
  sum.update("a");
  CHECK(sum.hex() == sha256_hex("a"));
  Sha256 moved = std::move(sum);
  moved.update("bc");
  CHECK(moved.hex() == kAbc);
  CHECK(moved.hex() == kAbc);
}

}  // namespace
}  // namespace shunt::io
