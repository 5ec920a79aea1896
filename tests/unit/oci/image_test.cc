#include "shunt/oci/image.h"

#include <fmt/format.h>

#include "shunt/blob/digest.h"
#include "shunt/oci/registry.h"
#include "support/conformance/document_store.h"
#include "unit/http/fake_client.h"

namespace shunt::oci {
namespace {

using Catch::Contains;
using http::fake::FakeAnswer;
using http::fake::FakeClient;
using http::fake::field_of;

class MemoryStore final : public blob::DocumentStore {
 public:
  std::optional<std::string> find_document(const std::string& digest) override {
    const auto found = documents.find(digest);
    return found == documents.end() ? std::nullopt : std::optional(found->second);
  }
  void keep_document(const std::string& digest, std::string_view bytes) override {
    documents[digest] = bytes;
  }
  std::optional<std::string> find_tag(const std::string& reference) override {
    const auto found = tags.find(reference);
    return found == tags.end() ? std::nullopt : std::optional(found->second);
  }
  void keep_tag(const std::string& reference, const std::string& digest) override {
    tags[reference] = digest;
  }
  std::map<std::string, std::string> documents;
  std::map<std::string, std::string> tags;
};

std::string descriptor(const std::string& bytes, const std::string& more = "") {
  return fmt::format(R"({{"digest":"{}","size":{}{}}})", blob::sha256_digest(bytes), bytes.size(),
                     more);
}
std::string manifest_of(const std::string& layer) {
  return fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})", descriptor("{}"),
                     descriptor(layer));
}

// A registry with one image for two platforms, tagged "t".
class RegistryWorld {
 public:
  RegistryWorld()
      : client(std::make_shared<FakeClient>([this](const http::Request& r) { return answer(r); })) {
    options.platform = {"linux", "amd64", ""};
    options.authfile = "/dev/null/none";
    options.documents = &store;
    // No credentials of whoever runs this.
    options.fields.push_back({"Authorization", "Bearer mine"});
    put("t", index);
    for (const std::string& bytes : {index, amd64, arm64}) put(blob::sha256_digest(bytes), bytes);
  }

  void put(const std::string& name, const std::string& bytes) {
    served["https://r.example/v2/a/b/manifests/" + name] = bytes;
  }
  Result<std::shared_ptr<Image>> open(const std::string& rest = ":t") {
    const auto reference = parse_image_reference("docker://r.example/a/b" + rest);
    REQUIRE(reference);
    return open_image(client, *reference, options);
  }
  std::size_t requests() { return client->requests().size(); }

  const std::string amd64 = manifest_of("layer of amd64");
  const std::string arm64 = manifest_of("layer of arm64");
  const std::string index = fmt::format(
      R"({{"schemaVersion":2,"manifests":[{},{}]}})",
      descriptor(amd64, R"(,"platform":{"os":"linux","architecture":"amd64"})"),
      descriptor(arm64, R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"})"));
  std::map<std::string, std::string> served;
  std::vector<http::Field> fields;
  MemoryStore store;
  ImageOptions options;
  std::shared_ptr<FakeClient> client;

 private:
  FakeAnswer answer(const http::Request& request) {
    const auto found = served.find(request.url);
    if (found != served.end()) return {200, fields, found->second, {}};
    return {404, {}, R"({"errors":[{"code":"X","message":"manifest unknown"}]})", {}};
  }
};

TEST_CASE("the documents that the tests keep in memory are kept as in the cache") {
  const auto store = std::make_shared<MemoryStore>();
  test::check_document_store([&] { return store; });
}

TEST_CASE("a tag leads through the index to the manifest of the platform") {
  RegistryWorld world;
  const auto image = world.open();
  REQUIRE(image);
  CHECK((*image)->manifest().digest == blob::sha256_digest(world.amd64));
  CHECK((*image)->traffic().requests == 2);
  const auto requests = world.client->requests();
  REQUIRE(requests.size() == 2);
  CHECK_THAT(field_of(requests[0], "Accept"),
             Contains("application/vnd.oci.image.index.v1+json") &&
                 Contains("application/vnd.docker.distribution.manifest.list.v2+json") &&
                 Contains("application/vnd.oci.image.manifest.v1+json") &&
                 Contains("application/vnd.docker.distribution.manifest.v2+json"));
  CHECK(requests[1].url ==
        "https://r.example/v2/a/b/manifests/" + blob::sha256_digest(world.amd64));

  world.options.platform = {"linux", "arm64", "v8"};
  const auto other = world.open();
  REQUIRE(other);
  CHECK((*other)->manifest().digest == blob::sha256_digest(world.arm64));
}

TEST_CASE("a blob is described without asking") {
  RegistryWorld world;
  const auto image = world.open();
  REQUIRE(image);
  const Descriptor layer = (*image)->manifest().layers.at(0);
  const std::size_t before = world.requests();
  const auto blob = (*image)->http_blob(layer);
  REQUIRE(blob);
  CHECK(world.requests() == before);
  const std::string digest = blob::sha256_digest("layer of amd64");
  CHECK(blob->url == "https://r.example/v2/a/b/blobs/" + digest);
  CHECK(blob->name == "docker://r.example/a/b@" + digest);
  CHECK(blob->digest == digest);
  CHECK(blob->size == 14);
  REQUIRE(blob->fields.size() == 1);
  CHECK(blob->fields[0].name == "Authorization");
  CHECK((*image)->blob_name(layer) == blob->name);
  const auto local = (*image)->local_blob(layer);
  REQUIRE_FALSE(local);
  CHECK(local.error().code == ErrorCode::kUsage);
  Descriptor hostile = layer;
  hostile.digest = "sha256:../../x";
  CHECK_FALSE((*image)->http_blob(hostile));
}

TEST_CASE("an authorizer comes with the blobs unless there is an Authorization already") {
  RegistryWorld world;
  const auto own = world.open();
  REQUIRE(own);
  CHECK((*own)->http_blob((*own)->manifest().layers.at(0))->authorizer == nullptr);
  CHECK(field_of(world.client->requests().at(0), "Authorization") == "Bearer mine");
}

TEST_CASE("what does not have its digest or its size is not believed") {
  RegistryWorld world;
  const std::string digest = blob::sha256_digest(world.amd64);
  SECTION("another document") {
    world.put(digest, world.arm64);
  }
  SECTION("longer") {
    world.put(digest, world.amd64 + " ");
  }
  SECTION("a size in the index that is wrong") {
    std::string index = world.index;
    const std::string size = fmt::format("\"size\":{}", world.amd64.size());
    index.replace(index.find(size), size.size(), fmt::format("\"size\":{}", 1));
    world.put("t", index);
  }
  const auto image = world.open();
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kIntegrity);
  CHECK(image.error().path == "docker://r.example/a/b@" + digest);
  CHECK(world.store.documents.empty());
  CHECK(world.store.tags.empty());
}

TEST_CASE("what the registry says is the digest of a tag does not count") {
  RegistryWorld world;
  world.fields.push_back({"Docker-Content-Digest", "sha256:" + std::string(64, '0')});
  const auto image = world.open();
  REQUIRE(image);
  CHECK(world.store.tags.at("docker://r.example/a/b:t") == blob::sha256_digest(world.index));
}

TEST_CASE("a digest that is kept costs no request") {
  RegistryWorld world;
  REQUIRE(world.open());
  const std::size_t before = world.requests();
  const auto image = world.open("@" + blob::sha256_digest(world.index));
  REQUIRE(image);
  CHECK((*image)->manifest().digest == blob::sha256_digest(world.amd64));
  CHECK(world.requests() == before);
  // A tag is asked for again, what it stands for is not.
  REQUIRE(world.open());
  CHECK(world.requests() == before + 1);
}

TEST_CASE("what is kept is checked, and fetched again when it is not what it was") {
  RegistryWorld world;
  REQUIRE(world.open());
  const std::string digest = blob::sha256_digest(world.amd64);
  world.store.documents[digest] = world.arm64;
  const auto image = world.open("@" + digest);
  REQUIRE(image);
  CHECK((*image)->manifest().layers.at(0).digest == blob::sha256_digest("layer of amd64"));
  CHECK(world.store.documents[digest] == world.amd64);
}

TEST_CASE("offline, what is kept does, and nobody is asked") {
  RegistryWorld world;
  REQUIRE(world.open());
  const std::size_t before = world.requests();
  world.options.offline = true;
  world.options.fields.clear();  // credentials are not looked for either
  const auto image = world.open();
  REQUIRE(image);
  CHECK((*image)->manifest().digest == blob::sha256_digest(world.amd64));
  CHECK((*image)->traffic().requests == 0);
  CHECK((*image)->http_blob((*image)->manifest().layers.at(0)));

  const auto other_tag = world.open(":u");
  REQUIRE_FALSE(other_tag);
  CHECK(other_tag.error().code == ErrorCode::kNetwork);
  CHECK_THAT(other_tag.error().reason, Contains("tag"));
  CHECK(other_tag.error().path == "docker://r.example/a/b:u");

  world.options.platform = {"linux", "arm64", "v8"};
  const auto other_platform = world.open();
  REQUIRE_FALSE(other_platform);
  CHECK(other_platform.error().code == ErrorCode::kNetwork);
  CHECK(other_platform.error().path ==
        "docker://r.example/a/b@" + blob::sha256_digest(world.arm64));

  world.options.documents = nullptr;
  CHECK_FALSE(world.open());
  CHECK(world.requests() == before);
}

TEST_CASE("a digest that the store has for a tag may be nonsense") {
  RegistryWorld world;
  world.options.offline = true;
  world.store.tags["docker://r.example/a/b:t"] = "../../x";
  const auto image = world.open();
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kNetwork);
}

TEST_CASE("a refusal says what the registry has said") {
  RegistryWorld world;
  const auto image = world.open(":none");
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kNetwork);
  CHECK(image.error().path == "docker://r.example/a/b:none");
  CHECK(image.error().reason == "not found in the registry: manifest unknown");
}

TEST_CASE("what is no manifest is told with its name") {
  RegistryWorld world;
  world.put("t", "<html>");
  const auto image = world.open();
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kCorrupt);
  CHECK(image.error().path == "docker://r.example/a/b:t");
  CHECK(world.store.documents.empty());
}

TEST_CASE("a manifest may come without an index") {
  RegistryWorld world;
  world.put("t", world.arm64);
  world.fields.push_back({"Content-Type", "application/vnd.oci.image.manifest.v1+json"});
  const auto image = world.open();
  REQUIRE(image);
  CHECK((*image)->manifest().digest == blob::sha256_digest(world.arm64));
  CHECK(world.requests() == 1);
}

TEST_CASE("the addresses of a registry") {
  const auto url = [](const std::string& text, bool plain_http = false) {
    return Registry(*parse_image_reference("docker://" + text), plain_http).url();
  };
  CHECK(url("debian") == "https://registry-1.docker.io");
  CHECK(url("quay.io/x") == "https://quay.io");
  CHECK(url("quay.io:444/x") == "https://quay.io:444");
  CHECK(url("quay.io/x", true) == "http://quay.io");
  CHECK(url("localhost/x") == "http://localhost");
  CHECK(url("localhost:5000/x") == "http://localhost:5000");
  CHECK(url("127.9.8.7:5000/x") == "http://127.9.8.7:5000");
  CHECK(url("[::1]:5000/x") == "http://[::1]:5000");
  CHECK(url("[::1]/x") == "http://[::1]");
  CHECK(url("[::2]:5000/x") == "https://[::2]:5000");
  CHECK(url("128.0.0.1/x") == "https://128.0.0.1");
  CHECK(url("127.0.0.1.evil.example/x") == "https://127.0.0.1.evil.example");
  CHECK(url("localhost.evil.example/x") == "https://localhost.evil.example");
}

}  // namespace
}  // namespace shunt::oci
