// A journal's record from anywhere: parsed or refused, and what is parsed encodes to the same.
#include "shunt/in_place/journal.h"

#include <xxhash.h>

#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shunt;
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(begin, begin + size);
  // A version and a checksum that are right let the fuzzer reach what lies behind them.
  if (bytes.size() >= 32) {
    const std::uint64_t record_size = bytes.size();
    const std::vector<std::byte> written = in_place::encode_record({});
    std::memcpy(bytes.data(), written.data(), 12);
    std::memcpy(bytes.data() + 16, &record_size, 8);
    const std::uint64_t digest = XXH3_64bits(bytes.data(), bytes.size() - 8);
    std::memcpy(bytes.data() + bytes.size() - 8, &digest, 8);
  }
  const auto record = in_place::parse_record(bytes);
  if (!record) return 0;
  const auto again = in_place::parse_record(in_place::encode_record(*record));
  if (!again) std::abort();
  if (in_place::encode_record(*again) != in_place::encode_record(*record)) std::abort();
  return 0;
}
