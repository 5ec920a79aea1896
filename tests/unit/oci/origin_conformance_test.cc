// A layer of an image in a registry that wants tokens, as an origin.
#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <span>

#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"
#include "support/conformance/origin.h"
#include "support/temp_dir.h"
#include "unit/http/client_fixture.h"

namespace shunt::oci {
namespace {

constexpr std::uint64_t kLayer = 300'000;

std::string descriptor_of(const std::string& bytes) {
  return fmt::format(R"({{"digest":"{}","size":{}}})", blob::sha256_digest(bytes), bytes.size());
}

// A registry whose tokens are good for a few requests.
class TokenRegistry {
 public:
  TokenRegistry()
      : server_({.size = kLayer}, [this](const test::SeenRequest& seen) { return judge(seen); }) {
    std::ofstream(authfile_) << "{}";
  }

  [[nodiscard]] const std::string& layer() const { return layer_; }
  std::shared_ptr<blob::Origin> open() {
    const auto reference =
        parse_image_reference(fmt::format("docker://127.0.0.1:{}/a/b:t", server_.port()));
    ImageOptions options;
    options.authfile = authfile_;
    options.platform = {"linux", "amd64", ""};
    options.retry = {.attempts = 4, .first_delay = 0.001, .longest_delay = 0.002};
    const auto opened = open_image(client_, reference.value(), options);
    if (!opened) FAIL(opened.error().describe());
    const auto& image = *opened;
    const Descriptor layer = image->manifest().layers.at(0);
    blob::Info info;
    info.name = image->blob_name(layer);
    info.digest = layer.digest;
    info.size = layer.size;
    return http_blob::assume_blob(client_, image->http_blob(layer).value(), info);
  }

 private:
  static constexpr int kRequestsOfToken = 3;

  test::Fault judge(const test::SeenRequest& seen) {
    if (seen.target.starts_with("/token")) {
      const int number = ++tokens_;
      used_ = 0;
      return {.status = 200, .body_text = fmt::format(R"({{"token":"t{}"}})", number)};
    }
    if (seen.field("authorization") != fmt::format("Bearer t{}", tokens_.load()) ||
        ++used_ > kRequestsOfToken) {
      return {.status = 401,
              .fields = {{"WWW-Authenticate",
                          fmt::format(R"(Bearer realm="http://127.0.0.1:{}/token",service="s")",
                                      server_.port())}}};
    }
    if (seen.target.starts_with("/v2/a/b/manifests/")) {
      return {.status = 200, .body_text = manifest_};
    }
    return {};
  }

  const test::TempDir directory_;
  const std::string authfile_ =
      directory_.file("auth.json");  // no credentials of whoever runs this
  const std::string layer_ = test::blob_bytes(1, 0, kLayer);
  const std::string manifest_ = fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})",
                                            descriptor_of("{}"), descriptor_of(layer_));
  std::atomic<int> tokens_{0};
  std::atomic<int> used_{0};
  std::shared_ptr<http::Client> client_ = http::start_client();
  test::FaultServer server_;
};

TEST_CASE("a layer in a registry is an origin") {
  TokenRegistry registry;
  const auto bytes = std::as_bytes(std::span(registry.layer()));
  test::check_origin(
      {.open = [&] { return registry.open(); }, .bytes = {bytes.begin(), bytes.end()}});
}

}  // namespace
}  // namespace shunt::oci
