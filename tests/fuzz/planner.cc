// A whole file in, plans out: each plan's result, planned again, must say that nothing is to do,
// and every strategy must keep the bytes outside moov.
#include <algorithm>

#include "fuzz/require.h"
#include "shunt/faststart/plan.h"
#include "shunt/faststart/strategies/table.h"

namespace {

using namespace shunt;
using fuzz::require;

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kMaxResult = std::uint64_t{8} << 20;

std::optional<Bytes> read_all(const io::Source& source) {
  Bytes bytes(static_cast<std::size_t>(source.size()));
  const auto got = source.read_at(0, bytes, io::Caching::kKeep);
  if (!got) return std::nullopt;
  require(*got == bytes.size(), "a layout is as long as it says");
  return bytes;
}

void check_plan(const Bytes& input, const mp4::Movie& movie, const faststart::Plan& plan) {
  const auto result = read_all(plan.layout);
  require(result.has_value(), "a planned layout can be read");
  const auto again = mp4::map_file(io::MemorySource(*result));
  require(again.has_value(), "the result can be mapped");
  require(again->moov_in_front, "the result says already");
  require(again->moov.range == ByteRange::of(plan.room.at, plan.sizing.moov_size),
          "moov is where it was planned, as large as it was planned");
  // In front of moov's place nothing moves.
  require(
      std::equal(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(movie.file.insert_at),
                 result->begin()),
      "what lies before stays");
  // A trailer that is no box keeps its distance from the end.
  require(plan.size_after() >= input.size() - movie.file.moov.range.size(), "nothing is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  const Bytes input(begin, begin + size);
  const auto source = std::make_shared<const io::MemorySource>(input);
  auto movie = mp4::read_movie(source);
  if (!movie || movie->file.moov_in_front) return 0;
  for (const faststart::Strategy* strategy :
       {faststart::strategy_named("reserve"), faststart::strategy_named("insert"),
        faststart::strategy_named("copy")}) {
    const auto plan = strategy->plan(*movie, {size % 3 * 100, 512});
    if (plan && plan->size_after() < kMaxResult) check_plan(input, *movie, *plan);
  }
  return 0;
}
