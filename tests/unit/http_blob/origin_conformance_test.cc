// A blob behind a URL as an origin: one that was asked about first, and one that is known already.
#include <map>

#include "support/conformance/origin.h"
#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

std::vector<std::byte> served_bytes(std::uint64_t size) {
  const std::string text = test::blob_bytes(1, 0, size);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// A server with manners of its own for each folder of its paths.
struct Manners {
  static Fault judge(const SeenRequest& request) {
    const bool asks_for_head = request.field("range").starts_with("bytes=0-65535");
    if (request.target.starts_with("/whole")) return {.ignore_range = !asks_for_head};
    if (request.target.starts_with("/broken") && !asks_for_head) {
      // The first time some bytes, then nothing.
      if (request.field("range").starts_with("bytes=500-")) return {.cut_at = 2000};
      return {.no_answer = true};
    }
    if (request.target.starts_with("/flaky") && !asks_for_head) {
      if (request.field("range").starts_with("bytes=500-")) return {.cut_at = 2000};
      return {.ignore_range = request.target.ends_with("/whole")};
    }
    if (request.target.starts_with("/changed") && !asks_for_head) return {.etag = "\"v2\""};
    return {};
  }

  std::shared_ptr<http::Client> client = start_client();
  FaultServer server{BlobServerOptions{.size = kSize}, judge};
};

template <typename Open>
void check(const Manners& manners, const Open& open) {
  const auto at = [&](const std::string& path) {
    return [&, path] { return open(blob_at(manners.server.url(path))); };
  };
  test::check_origin({.open = at("/blob"),
                      .bytes = served_bytes(kSize),
                      .open_whole = at("/whole"),
                      .open_broken = at("/broken"),
                      .open_flaky = {at("/flaky"), at("/flaky/whole")},
                      .open_changed = at("/changed")});
}

TEST_CASE("a blob that a server was asked about is an origin") {
  const Manners manners;
  check(manners, [&](const HttpBlob& blob) {
    return open_blob(manners.client, blob, std::nullopt).value().origin;
  });
}

TEST_CASE("a blob behind a URL that is known already is an origin") {
  const Manners manners;
  check(manners,
        [&](const HttpBlob& blob) { return assume_blob(manners.client, blob, info_of()); });
}

}  // namespace
}  // namespace shunt::http_blob
