#include "shunt/fetch/unsized.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "shunt/files/file_system.h"
#include "shunt/text/size_text.h"

namespace shunt::fetch {
namespace {

constexpr std::uint64_t kLookAtDisk = std::uint64_t{16} << 20;  // bytes between two checks

void begin(const Context& context, std::uint64_t most) {
  context.begin("fetching", most == UINT64_MAX ? 0 : most);
}

Error about(const source::Unsized& body, std::string reason, std::string hint) {
  Error error;
  error.code = ErrorCode::kCorrupt;
  error.path = body.name();
  error.reason = std::move(reason);
  error.hint = std::move(hint);
  return error;
}

}  // namespace

Result<std::uint64_t> unsized_part(const source::Unsized& body,
                                   const std::vector<RangeText>& ranges) {
  if (ranges.empty()) return UINT64_MAX;
  if (ranges.size() == 1 && ranges.front().begin == std::uint64_t{0}) {
    return ranges.front().length.value_or(UINT64_MAX);
  }
  return about(body, "the server does not tell its size, and only sends it from its start",
               "ask for all of it, or for one range that begins at byte 0");
}

Error cannot_be_cached(const source::Unsized& body) {
  Error error = about(body, "the cache cannot keep it: the server does not tell its size", "");
  error.code = ErrorCode::kLocalIo;
  return error;
}

source::UnsizedRead stream_unsized(const source::Unsized& body, std::uint64_t most, io::File& out,
                                   const Context& context) {
  begin(context, most);
  out.set_cancel(context.cancel);
  return source::read_unsized(body, most,
                              [&](std::uint64_t, std::span<const std::byte> bytes) -> Result<void> {
                                SHUNT_TRY(out.write_next(bytes));
                                context.advance(bytes.size());
                                return {};
                              });
}

source::UnsizedRead write_unsized(const source::Unsized& body, std::uint64_t most, io::File& out,
                                  const Context& context) {
  const Result<files::FileSystem> at_first = files::FileSystem::of(out);
  if (!at_first) return {at_first.error(), {}, 0};
  const std::uint64_t left_free = at_first->free_bytes / 20;
  std::uint64_t look_at = kLookAtDisk;
  begin(context, most);
  return source::read_unsized(
      body, most, [&](std::uint64_t at, std::span<const std::byte> bytes) -> Result<void> {
        if (most == UINT64_MAX && at >= look_at) {
          look_at = at + kLookAtDisk;
          SHUNT_ASSIGN(const files::FileSystem now, files::FileSystem::of(out));
          if (now.free_bytes < left_free) {
            Error error = about(body,
                                fmt::format("it has not ended after {}, and only a twentieth of "
                                            "the free space on the disk of {} is left",
                                            format_size(at), out.path()),
                                "the server does not tell its size; --range 0+SIZE takes a part");
            error.code = ErrorCode::kLocalIo;
            return error;
          }
        }
        SHUNT_TRY(out.write_at(at, bytes));
        context.advance(bytes.size());
        return {};
      });
}

}  // namespace shunt::fetch
