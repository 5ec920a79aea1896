// Fields of answers from any server: parsed or refused, and what is parsed holds together.
#include <limits>
#include <string>

#include "fuzz/require.h"
#include "shunt/http/fields.h"

namespace {

using shunt::fuzz::require;

void try_content_range(std::string_view text) {
  const auto parsed = shunt::http::parse_content_range(text);
  if (!parsed) return;
  require(parsed->range || parsed->total);
  if (!parsed->range) return;
  require(parsed->range->begin < parsed->range->end);
  require(!parsed->total || parsed->range->end <= *parsed->total);
  // What it says, written again, says the same.
  const std::string again = "bytes " + std::to_string(parsed->range->begin) + "-" +
                            std::to_string(parsed->range->end - 1) + "/" +
                            (parsed->total ? std::to_string(*parsed->total) : "*");
  const auto same = shunt::http::parse_content_range(again);
  require(same && same->range == parsed->range && same->total == parsed->total);
}

void try_challenges(std::string_view text) {
  const auto challenges = shunt::http::parse_challenges(text);
  require(challenges.size() <= 16);
  for (const auto& challenge : challenges) {
    require(!challenge.scheme.empty() && challenge.parameters.size() <= 32);
    for (const auto& [name, value] : challenge.parameters) {
      require(!name.empty() && name.size() + value.size() <= text.size());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shunt::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::int64_t kNow = 1'700'000'000;
  try_content_range(text);
  try_challenges(text);
  const auto wait = parse_retry_after(text, kNow);
  require(!wait || *wait >= 0);
  require(!is_strong_etag(text) || is_etag(text));
  const auto length = parse_content_length(text);
  require(!length || *length <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  // The same bytes, cut into the four fields that freshness comes from.
  const std::size_t quarter = size / 4;
  const std::int64_t fresh =
      fresh_for(text.substr(0, quarter), text.substr(quarter, quarter),
                text.substr(2 * quarter, quarter), text.substr(3 * quarter), kNow);
  require(fresh >= 0);
  const std::int64_t whole = fresh_for(text, "", "", "", kNow);
  require(whole >= 0);
  require(whole == 0 || !forbids_storing(text));
  return 0;
}
