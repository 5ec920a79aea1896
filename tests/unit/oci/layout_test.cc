#include "shunt/oci/layout.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "shunt/blob/digest.h"
#include "support/catch.h"
#include "support/conformance/source.h"
#include "support/temp_dir.h"

namespace shunt::oci {
namespace {

using Catch::Contains;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// A layout under construction.
class Layout {
 public:
  Layout() {
    std::filesystem::create_directories(path() + "/blobs/sha256");
    write_file(path() + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  }

  [[nodiscard]] std::string path() const { return directory_.file("layout"); }

  std::string put(const std::string& bytes) {
    const std::string digest = blob::sha256_digest(bytes);
    write_file(file_of(digest), bytes);
    return digest;
  }
  [[nodiscard]] std::string file_of(const std::string& digest) const {
    return path() + "/blobs/sha256/" + digest.substr(7);
  }

  // The descriptor of a new image with the one layer `content`.
  std::string image(const std::string& content, const std::string& more = "") {
    const std::string layer = put(content);
    const std::string config = put("{}");
    const std::string manifest = fmt::format(
        R"({{"schemaVersion":2,"config":{{"digest":"{}","size":2}},"layers":[{{"digest":"{}","size":{}}}]}})",
        config, layer, content.size());
    return descriptor(put(manifest), manifest.size(), more);
  }
  std::string index(const std::string& entries, const std::string& more = "") {
    const std::string json = fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", entries);
    return descriptor(put(json), json.size(), more);
  }
  static std::string descriptor(const std::string& digest, std::size_t size,
                                const std::string& more) {
    return fmt::format(R"({{"digest":"{}","size":{}{}}})", digest, size, more);
  }
  void finish(const std::string& entries) {
    write_file(path() + "/index.json",
               fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", entries));
  }

  [[nodiscard]] Result<std::shared_ptr<Image>> open(const std::string& rest = "",
                                                    const Platform& platform = {"linux", "amd64",
                                                                                ""}) const {
    auto reference = parse_image_reference("oci:" + path() + rest);
    REQUIRE(reference);
    ImageOptions options;
    options.platform = platform;
    return open_image(nullptr, *reference, options);
  }
  // The content of the first layer.
  [[nodiscard]] std::string content(const std::string& rest = "",
                                    const Platform& platform = {"linux", "amd64", ""}) const {
    const auto opened = open(rest, platform);
    if (!opened) return opened.error().describe();
    const auto source = (*opened)->local_blob((*opened)->manifest().layers.at(0));
    if (!source) return source.error().describe();
    std::string text((*source)->size(), '\0');
    REQUIRE(io::read_exactly(**source, 0, std::as_writable_bytes(std::span(text))));
    return text;
  }

 private:
  test::TempDir directory_;
};

std::string tag(const std::string& name) {
  return fmt::format(R"(,"annotations":{{"org.opencontainers.image.ref.name":"{}"}})", name);
}
std::string platform(const std::string& architecture) {
  return fmt::format(R"(,"platform":{{"os":"linux","architecture":"{}"}})", architecture);
}

TEST_CASE("a layout of one image needs no tag") {
  Layout layout;
  layout.finish(layout.image("one"));
  CHECK(layout.content() == "one");
  const auto image = layout.open();
  REQUIRE(image);
  const Descriptor layer = (*image)->manifest().layers[0];
  CHECK((*image)->blob_name(layer) == layout.file_of(layer.digest));
  const auto over_http = (*image)->http_blob(layer);
  REQUIRE_FALSE(over_http);
  CHECK(over_http.error().code == ErrorCode::kUsage);
  CHECK((*image)->traffic().requests == 0);
  CHECK(blob::is_digest((*image)->manifest().digest));
}

TEST_CASE("a layer of a layout is a Source") {
  const auto bytes = test::source_bytes(30'000);
  const auto text = [](std::span<const std::byte> from) {
    return std::string(reinterpret_cast<const char*>(from.data()), from.size());
  };
  Layout layout;
  layout.finish(layout.image(text(bytes), tag("a")) + "," +
                layout.image(text(test::source_bytes(30'000, 2)), tag("b")));
  const auto open = [&](const std::string& name) {
    const auto image = layout.open(name).value();
    return image->local_blob(image->manifest().layers.at(0)).value();
  };
  test::check_source({.open = [&] { return open(":a"); },
                      .bytes = bytes,
                      .open_other = [&] { return open(":b"); },
                      .in_file = test::SourceUnderTest::InFile::kYes});
}

TEST_CASE("a tag of a layout names its image") {
  Layout layout;
  layout.finish(layout.image("one", tag("a")) + "," + layout.image("two", tag("b")));
  CHECK(layout.content(":a") == "one");
  CHECK(layout.content(":b") == "two");
  const auto other = layout.open(":c");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kFailed);
  CHECK_THAT(other.error().reason, Contains("a, b"));
  const auto none = layout.open();
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().reason, Contains("more than one"));
}

TEST_CASE("different images are not taken for one of several platforms") {
  Layout layout;
  layout.finish(layout.image("one", tag("a") + platform("amd64")) + "," +
                layout.image("two", tag("b") + platform("arm64")));
  CHECK_FALSE(layout.open());
  CHECK(layout.content(":b") == "two");
}

TEST_CASE("one image under two tags is one image") {
  Layout layout;
  layout.finish(layout.image("one", tag("a")) + "," + layout.image("one", tag("b")));
  CHECK(layout.content() == "one");
}

TEST_CASE("indexes in a layout are followed, and the platform is chosen") {
  Layout layout;
  const std::string inner = layout.index(layout.image("x86", platform("amd64")) + "," +
                                         layout.image("arm", platform("arm64")));
  layout.finish(layout.index(inner, tag("multi")));
  CHECK(layout.content(":multi") == "x86");
  CHECK(layout.content("", {"linux", "arm64", "v8"}) == "arm");
  const auto none = layout.open("", {"linux", "s390x", ""});
  REQUIRE_FALSE(none);
  CHECK(none.error().path == "oci:" + layout.path());
  CHECK_THAT(none.error().reason, Contains("linux/amd64, linux/arm64"));
}

TEST_CASE("the platforms may be in index.json itself") {
  Layout layout;
  layout.finish(layout.image("x86", tag("t") + platform("amd64")) + "," +
                layout.image("arm", tag("t") + platform("arm64")));
  CHECK(layout.content(":t") == "x86");
  CHECK(layout.content("", {"linux", "arm64", ""}) == "arm");
}

TEST_CASE("a digest names what is in the index, and what lies below") {
  Layout layout;
  const std::string below = layout.image("below", platform("amd64"));
  layout.finish(layout.index(below, tag("a")) + "," + layout.image("top", tag("b")));
  const auto image = layout.open(":a");
  REQUIRE(image);
  CHECK(layout.content("@" + (*image)->manifest().digest) == "below");
  const auto top = layout.open(":b");
  REQUIRE(top);
  CHECK(layout.content("@" + (*top)->manifest().digest) == "top");
  CHECK_FALSE(layout.open("@sha256:" + std::string(64, '0')));
}

TEST_CASE("a manifest that was changed is not believed") {
  Layout layout;
  layout.finish(layout.image("one"));
  const std::string digest = (*layout.open())->manifest().digest;
  const std::string path = layout.file_of(digest);
  std::string text;
  std::getline(std::ifstream(path), text, '\0');
  SECTION("of the same size") {
    text[text.size() - 3] = ' ';
  }
  SECTION("longer") {
    text += " ";
  }
  write_file(path, text);
  const auto image = layout.open();
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kIntegrity);
  CHECK(image.error().path == path);
}

TEST_CASE("a blob of another size is corrupt") {
  Layout layout;
  layout.finish(layout.image("content"));
  const auto image = layout.open();
  REQUIRE(image);
  const Descriptor layer = (*image)->manifest().layers[0];
  write_file(layout.file_of(layer.digest), "conten");
  const auto blob = (*image)->local_blob(layer);
  REQUIRE_FALSE(blob);
  CHECK(blob.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a digest that is none opens no file") {
  Layout layout;
  layout.finish(layout.image("content"));
  const auto image = layout.open();
  REQUIRE(image);
  write_file(layout.path() + "/blobs/secret", "1234567");
  Descriptor layer;
  layer.digest = "sha256:../secret";
  layer.size = 7;
  CHECK_FALSE((*image)->local_blob(layer));
}

TEST_CASE("a directory that is no layout is told") {
  Layout layout;
  layout.finish(layout.image("one"));
  SECTION("no marker") {
    std::filesystem::remove(layout.path() + "/oci-layout");
  }
  SECTION("another version") {
    write_file(layout.path() + "/oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  }
  SECTION("a marker that is none") {
    write_file(layout.path() + "/oci-layout", "x");
  }
  SECTION("no index") {
    std::filesystem::remove(layout.path() + "/index.json");
  }
  SECTION("an index that is a manifest") {
    write_file(layout.path() + "/index.json", R"({"config":{},"layers":[]})");
  }
  SECTION("an index without anything") {
    write_file(layout.path() + "/index.json", R"({"manifests":[]})");
  }
  SECTION("a marker without an end") {
    std::filesystem::remove(layout.path() + "/oci-layout");
    std::filesystem::create_symlink("/dev/zero", layout.path() + "/oci-layout");
  }
  const auto image = layout.open();
  REQUIRE_FALSE(image);
  CHECK_THAT(image.error().path, Contains(layout.path()));
}

TEST_CASE("indexes that name one another end") {
  Layout layout;
  std::string entry = layout.image("deep", platform("amd64"));
  for (int i = 0; i < 3; ++i) entry = layout.index(entry);
  layout.finish(entry);
  CHECK(layout.content() == "deep");
  layout.finish(layout.index(entry));
  const auto image = layout.open();
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace shunt::oci
