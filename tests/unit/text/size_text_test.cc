#include "shunt/text/size_text.h"

#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("sizes are bytes, powers of 1024, or powers of 1000") {
  CHECK(parse_size("0").value() == 0);
  CHECK(parse_size("4096").value() == 4096);
  CHECK(parse_size("1K").value() == 1024);
  CHECK(parse_size("1k").value() == 1024);
  CHECK(parse_size("2MiB").value() == 2097152);
  CHECK(parse_size("2MB").value() == 2000000);
  CHECK(parse_size("1.5G").value() == 1610612736);
  CHECK(parse_size("0.25K").value() == 256);
  CHECK(parse_size("1.125KB").value() == 1125);
  CHECK(parse_size("2.0").value() == 2);
  CHECK(parse_size("3T").value() == 3298534883328);
  CHECK(parse_size("18446744073709551615").value() == UINT64_MAX);
}

TEST_CASE("what is no size is a usage error") {
  for (const char* text : {"", "-1", "-1K", "K", "1X", "1KX", "18446744073709551616", "16777216T",
                           "1.5", "0.3K", "1.0001KB", "0x10", " 1", "1 ", "1e3", "1.2.3", "."}) {
    INFO(text);
    const auto parsed = parse_size(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("a size to type is taken for what it is") {
  CHECK(size_to_type(0) == "0");
  CHECK(size_to_type(1000) == "1000");
  CHECK(size_to_type(128 << 20) == "128M");
  CHECK(size_to_type((128 << 20) + 1024) == "131073K");
  for (unsigned shift = 0; shift < 64; ++shift) {
    for (const std::uint64_t more : {0U, 1U}) {
      const std::uint64_t bytes = (std::uint64_t{1} << shift) + more;
      CHECK(parse_size(size_to_type(bytes)).value() == bytes);
    }
  }
}

TEST_CASE("sizes read with three significant digits") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.00 KiB");
  CHECK(format_size(9012) == "8.80 KiB");
  CHECK(format_size(1048575) == "1.00 MiB");
  CHECK(format_size(std::uint64_t{5} << 40) == "5.00 TiB");
}

}  // namespace
}  // namespace shunt
