// The origin that the tests of the cache download from.
#include "support/conformance/origin.h"
#include "support/conformance/source.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

TEST_CASE("the scripted server is an origin") {
  constexpr std::size_t kSize = 200'000;
  const auto scripted = [](const OriginScript& script) {
    return [script] { return std::make_shared<ScriptedOrigin>(url_info(kSize), script); };
  };
  OriginScript pieces;
  pieces.chunk = 7000;
  OriginScript whole;
  whole.everything = true;
  OriginScript broken;
  broken.chunk = 1000;
  broken.fault = [](unsigned, std::uint64_t offset) -> std::optional<Error> {
    if (offset < 5000) return std::nullopt;
    return network_error("it broke off");
  };
  test::check_origin({.open = scripted(pieces),
                      .bytes = test::source_bytes(kSize),
                      .open_whole = scripted(whole),
                      .open_broken = scripted(broken)});
}

}  // namespace
}  // namespace shunt::cache
