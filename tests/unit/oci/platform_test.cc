#include "shunt/oci/image.h"
#include "support/catch.h"

namespace shunt::oci {
namespace {

Descriptor entry(const std::string& platform, char digit) {
  Descriptor descriptor;
  descriptor.digest = "sha256:" + std::string(64, digit);
  if (platform.empty()) return descriptor;
  const std::size_t first = platform.find('/');
  const std::size_t second = platform.find('/', first + 1);
  descriptor.platform =
      Platform{platform.substr(0, first), platform.substr(first + 1, second - first - 1),
               second == std::string::npos ? "" : platform.substr(second + 1)};
  return descriptor;
}

std::vector<Descriptor> index_of(const std::vector<std::string>& platforms) {
  std::vector<Descriptor> entries;
  char digit = '0';
  for (const std::string& platform : platforms) entries.push_back(entry(platform, digit++));
  return entries;
}

// Which entry is chosen; -1: none.
int chosen(const std::vector<std::string>& platforms, const Platform& wanted) {
  const auto found = choose_platform(index_of(platforms), wanted);
  return found ? found->digest[7] - '0' : -1;
}

TEST_CASE("platforms are read with the names that people use") {
  struct Row {
    std::string text, os, architecture, variant;
  };
  const auto row = GENERATE(values<Row>({
      {"linux/amd64", "linux", "amd64", ""},
      {"linux/x86_64", "linux", "amd64", ""},
      {"Linux/AMD64", "linux", "amd64", ""},
      {"linux/arm64", "linux", "arm64", "v8"},
      {"linux/aarch64", "linux", "arm64", "v8"},
      {"linux/arm64/v9", "linux", "arm64", "v9"},
      {"linux/arm/v6", "linux", "arm", "v6"},
      {"linux/arm", "linux", "arm", ""},
      {"windows/i386", "windows", "386", ""},
      {"linux/riscv64", "linux", "riscv64", ""},
  }));
  INFO(row.text);
  const auto platform = parse_platform(row.text);
  REQUIRE(platform);
  CHECK(platform->os == row.os);
  CHECK(platform->architecture == row.architecture);
  CHECK(platform->variant == row.variant);
}

TEST_CASE("a name that is not a valid platform is refused") {
  const std::string text = GENERATE(values<std::string>(
      {"", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/arm/", "linux/a b", "a/b/c/d/e"}));
  INFO(text);
  const auto platform = parse_platform(text);
  REQUIRE_FALSE(platform);
  CHECK(platform.error().code == ErrorCode::kUsage);
}

TEST_CASE("this machine has a platform") {
  const Platform platform = this_platform();
  CHECK(platform.os == "linux");
#if defined(__x86_64__)
  CHECK(platform.architecture == "amd64");
#elif defined(__aarch64__)
  CHECK(platform.architecture == "arm64");
  CHECK(platform.variant == "v8");
#endif
}

TEST_CASE("the variant as asked for is chosen, or the next that runs") {
  CHECK(chosen({"linux/arm64/v8", "linux/amd64"}, {"linux", "amd64", ""}) == 1);
  CHECK(chosen({"windows/amd64", "linux/amd64"}, {"linux", "amd64", ""}) == 1);
  CHECK(chosen({"linux/amd64/v3", "linux/amd64"}, {"linux", "amd64", ""}) == 1);
  CHECK(chosen({"linux/amd64", "linux/amd64/v2"}, {"linux", "amd64", "v3"}) == 1);
  CHECK(chosen({"linux/amd64/v3"}, {"linux", "amd64", ""}) == -1);
  CHECK(chosen({"linux/amd64/v1"}, {"linux", "amd64", ""}) == 0);
  CHECK(chosen({"linux/arm64"}, {"linux", "arm64", "v8"}) == 0);
  CHECK(chosen({"linux/arm64/v8"}, {"linux", "arm64", ""}) == 0);
  CHECK(chosen({"linux/arm64/v9", "linux/arm64/v8"}, {"linux", "arm64", "v8"}) == 1);
  CHECK(chosen({"linux/arm64/v9"}, {"linux", "arm64", "v8"}) == -1);
  CHECK(chosen({"linux/arm64/v8"}, {"linux", "arm64", "v9"}) == 0);
  CHECK(chosen({"linux/arm/v5", "linux/arm/v6"}, {"linux", "arm", "v7"}) == 1);
  CHECK(chosen({"linux/arm/v5", "linux/arm/v6", "linux/arm/v7"}, {"linux", "arm", "v6"}) == 1);
  CHECK(chosen({"linux/arm/v7"}, {"linux", "arm", "v6"}) == -1);
  CHECK(chosen({"linux/arm/v5", "linux/arm/v7"}, {"linux", "arm", ""}) == 1);
  CHECK(chosen({"linux/riscv64/rva22"}, {"linux", "riscv64", ""}) == 0);
  CHECK(chosen({"linux/riscv64/rva22"}, {"linux", "riscv64", "rva20"}) == -1);
  // The first of equals.
  CHECK(chosen({"linux/amd64", "linux/amd64"}, {"linux", "amd64", ""}) == 0);
}

TEST_CASE("attestations are no images") {
  CHECK(chosen({"unknown/unknown"}, {"unknown", "unknown", ""}) == -1);
  auto entries = index_of({"linux/amd64", "linux/amd64"});
  entries[0].annotations["vnd.docker.reference.type"] = "attestation-manifest";
  const auto found = choose_platform(entries, {"linux", "amd64", ""});
  REQUIRE(found);
  CHECK(found->digest == entries[1].digest);
  // One image and its attestation, of which only the second says what it is.
  CHECK(chosen({"", "unknown/unknown"}, {"linux", "amd64", ""}) == 0);
  CHECK(chosen({"", ""}, {"linux", "amd64", ""}) == -1);
}

TEST_CASE("when nothing fits, the platforms that there are are told") {
  const auto found =
      choose_platform(index_of({"linux/s390x", "linux/arm/v7", "unknown/unknown", "o\033/x"}),
                      {"linux", "amd64", ""});
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kFailed);
  CHECK(found.error().reason ==
        "no image for linux/amd64; there are: linux/s390x, linux/arm/v7, o\\x1b/x");
  CHECK_FALSE(choose_platform({}, {"linux", "amd64", ""}));
}

}  // namespace
}  // namespace shunt::oci
