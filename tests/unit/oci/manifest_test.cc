#include <fmt/format.h>

#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"
#include "support/catch.h"

namespace shunt::oci {
namespace {

using Catch::Contains;

std::string digest_of(char digit) {
  return "sha256:" + std::string(64, digit);
}

std::string descriptor(char digit, const std::string& size = "10", const std::string& more = "") {
  return fmt::format(R"({{"mediaType":"m","digest":"{}","size":{}{}}})", digest_of(digit), size,
                     more);
}

std::string manifest(const std::string& head, const std::string& layers) {
  return fmt::format(R"({{{}"config":{},"layers":[{}]}})", head, descriptor('c'), layers);
}

constexpr const char* kOci = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr const char* kDocker = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

void require_corrupt(const std::string& json, const std::string& type = "",
                     const std::string& reason = "") {
  INFO(json);
  const auto document = parse_manifest(json, type);
  REQUIRE_FALSE(document);
  CHECK(document.error().code == ErrorCode::kCorrupt);
  CHECK_THAT(document.error().reason, Contains(reason));
}

TEST_CASE("a manifest gives its config and its layers in order") {
  const std::string type = GENERATE(values<std::string>({kOci, kDocker}));
  const std::string json =
      manifest(fmt::format(R"("schemaVersion":2,"mediaType":"{}",)", type),
               descriptor('1', "9223372036854775807", R"(,"annotations":{"a":"b"})") + "," +
                   descriptor('2', "0", R"(,"urls":["https://elsewhere.example/x"])"));
  const auto document = parse_manifest(json, "");
  REQUIRE(document);
  CHECK_FALSE(document->is_index);
  CHECK(document->manifest.config.digest == digest_of('c'));
  REQUIRE(document->manifest.layers.size() == 2);
  const Descriptor& first = document->manifest.layers[0];
  CHECK(first.digest == digest_of('1'));
  CHECK(first.size == 9223372036854775807U);
  CHECK(first.media_type == "m");
  CHECK(first.annotations == std::map<std::string, std::string>{{"a", "b"}});
  CHECK_FALSE(first.foreign);
  CHECK(document->manifest.layers[1].size == 0);
  CHECK(document->manifest.layers[1].foreign);
}

TEST_CASE("an index gives its entries with their platforms") {
  const std::string type = GENERATE(values<std::string>({kOciIndex, kDockerList}));
  const std::string json = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{},{}]}})", type,
      descriptor('1', "5", R"(,"platform":{"os":"linux","architecture":"arm","variant":"v7"})"),
      descriptor('2'));
  const auto document = parse_manifest(json, "");
  REQUIRE(document);
  CHECK(document->is_index);
  REQUIRE(document->entries.size() == 2);
  REQUIRE(document->entries[0].platform);
  CHECK(document->entries[0].platform->os == "linux");
  CHECK(document->entries[0].platform->architecture == "arm");
  CHECK(document->entries[0].platform->variant == "v7");
  CHECK_FALSE(document->entries[1].platform);
}

TEST_CASE("without a media type of its own, what came with it counts, then what is in it") {
  const std::string plain = manifest(R"("schemaVersion":2,)", descriptor('1'));
  for (const char* const type : {"", kOci, kDocker, "application/json", "text/plain; charset=utf-8",
                                 "application/vnd.oci.image.manifest.v1+json; charset=utf-8"}) {
    INFO(type);
    const auto document = parse_manifest(plain, type);
    REQUIRE(document);
    CHECK_FALSE(document->is_index);
  }
  const auto index = parse_manifest(R"({"manifests":[]})", "");
  REQUIRE(index);
  CHECK(index->is_index);
  require_corrupt(plain, kOciIndex, "not have its stated media type");
  require_corrupt(R"({"manifests":[]})", kOci, "not have its stated media type");
  require_corrupt(plain, "application/vnd.example+json", "unsupported kind");
  // Its own word goes before that of the server.
  CHECK(parse_manifest(manifest(fmt::format(R"("mediaType":"{}",)", kOci), ""), kOciIndex));
}

TEST_CASE("what is of an unsupported kind is named") {
  require_corrupt(R"({"schemaVersion":1,"name":"x","fsLayers":[]})", "", "schema 1");
  require_corrupt(R"({"name":"x","fsLayers":[]})",
                  "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1");
  require_corrupt(R"({"schemaVersion":1})", kOci, "of an unsupported kind");
  require_corrupt(R"({"schemaVersion":3,"layers":[]})", "", "schemaVersion");
  require_corrupt(R"({"mediaType":"application/vnd.example","layers":[]})", "",
                  "application/vnd.example");
  require_corrupt("{}", "", "neither");
}

TEST_CASE("a document that two readers could read differently is refused") {
  require_corrupt(fmt::format(R"({{"config":{},"layers":[],"manifests":[]}})", descriptor('c')), "",
                  "both");
  require_corrupt(
      fmt::format(R"({{"mediaType":"{}","config":{},"layers":[]}})", kOciIndex, descriptor('c')));
}

TEST_CASE("descriptors that do not hold together are refused") {
  const auto with_layer = [](const std::string& layer) { return manifest("", layer); };
  CHECK(parse_manifest(with_layer(descriptor('1')), ""));
  for (const char* const size :
       {"-1", "1.5", "\"1\"", "1e3", "9223372036854775808", "18446744073709551616", "null", "[]"}) {
    require_corrupt(with_layer(descriptor('1', size)));
  }
  require_corrupt(with_layer(R"({"size":1})"), "", "digest");
  require_corrupt(with_layer(fmt::format(R"({{"digest":"{}"}})", digest_of('1'))), "", "size");
  require_corrupt(with_layer(R"({"digest":"sha256:../../../etc/passwd","size":1})"), "", "digest");
  require_corrupt(
      with_layer(fmt::format(R"({{"digest":"sha512:{}","size":1}})", std::string(128, 'a'))));
  require_corrupt(with_layer(R"({"digest":7,"size":1})"));
  require_corrupt(with_layer("7"));
  require_corrupt(with_layer("null"));
  require_corrupt(with_layer(descriptor('1', "1", R"(,"annotations":[])")));
  require_corrupt(with_layer(descriptor('1', "1", R"(,"annotations":{"a":1})")));
  require_corrupt(with_layer(descriptor('1', "1", R"(,"platform":"linux")")));
  require_corrupt(with_layer(descriptor('1', "1", R"(,"platform":{"os":1})")));
}

TEST_CASE("what is no manifest at all is refused") {
  for (const char* const json :
       {"", "[", "[]", "null", "7", "\"x\"", "{\"layers\":[]}", "{\"config\":{},\"layers\":{}}",
        "{\"layers\":[]} x", "{\"layers\":\"\xff\"}", "{\"manifests\":{}}",
        "{\"mediaType\":7,\"manifests\":[]}"}) {
    require_corrupt(json);
  }
}

TEST_CASE("hostile documents stop at a bound") {
  require_corrupt(std::string(kMaxManifestSize + 1, ' '), "", "more than");
  require_corrupt(std::string(1 << 20, '['), "", "nested");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  require_corrupt(deep, "", "nested");
  std::string many = "[0";
  for (int i = 0; i < 300'000; ++i) many += ",0";
  require_corrupt(many + "]", "", "too large");

  std::string layers = descriptor('1');
  for (int i = 1; i < 1000; ++i) layers += "," + descriptor('1');
  CHECK(parse_manifest(manifest("", layers), ""));
  require_corrupt(manifest("", layers + "," + descriptor('1')), "", "1001");
  CHECK(parse_manifest(R"({"manifests":[)" + layers + "]}", ""));
  require_corrupt(R"({"manifests":[)" + layers + "," + descriptor('1') + "]}", "", "1001");
}

TEST_CASE("a layer is found by its number, its digest or the beginning of one") {
  Manifest image;
  for (const char* const digits : {"abcdef00", "abcdef11", "12345678", "abcdef00"}) {
    Descriptor layer;
    layer.digest = "sha256:" + std::string(digits) + std::string(56, '0');
    layer.size = image.layers.size();
    image.layers.push_back(layer);
  }
  const auto found = [&](const std::string& which) {
    const auto layer = find_layer(image, which);
    return layer ? static_cast<int>(layer->size) : -1;
  };
  CHECK(found("0") == 0);
  CHECK(found("2") == 2);
  CHECK(found("3") == 3);
  CHECK(found("4") == -1);
  CHECK(found("-1") == -1);
  CHECK(found("") == -1);
  CHECK(found(" 1") == -1);
  CHECK(found("99999999999999999999999") == -1);
  CHECK(found(image.layers[1].digest) == 1);
  CHECK(found("sha256:123456") == 2);
  CHECK(found("123456") == 2);
  CHECK(found("sha256:12345") == -1);
  CHECK(found("abcdef1") == 1);
  CHECK(found("abcdef") == -1);
  CHECK(found("abcdef0") == 0);  // twice the same
  CHECK(found("sha256:") == -1);

  const auto none = find_layer(image, "7\n");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kUsage);
  CHECK_THAT(none.error().hint, Contains("2 = " + image.layers[2].digest));
  CHECK_THAT(find_layer(image, "abcdef").error().reason, Contains("more than one"));
}

TEST_CASE("a document is held against its digest and its size") {
  // The first example of FIPS 180-2.
  const std::string digest =
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(blob::sha256_digest("abc") == digest);
  CHECK(blob::check_document("abc", digest, 3));
  CHECK(blob::check_document("abc", digest, std::nullopt));
  const auto longer = blob::check_document("abc", digest, 4);
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == ErrorCode::kIntegrity);
  const auto other = blob::check_document("abd", digest, 3);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kIntegrity);
}

}  // namespace
}  // namespace shunt::oci
