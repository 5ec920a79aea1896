#include "shunt/fetch/passing_digest.h"

#include <algorithm>
#include <string>

namespace shunt::fetch {

PassingDigest::PassingDigest(const source::Opened& opened, const std::vector<ByteRange>& ranges)
    : opened_(opened) {
  const bool whole = ranges.size() == 1 && ranges.front() == ByteRange{0, opened.source->size()};
  if (whole && !opened.digest.empty()) sha_.emplace();
}

Result<void> PassingDigest::update_from(const io::Source& from, ByteRange range,
                                        const CancelToken* cancel) {
  if (!sha_) return {};
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(std::uint64_t{1} << 20, range.size())));
  return io::read_in_pieces(from, range, buffer,
                            [&](std::span<const std::byte> piece) -> Result<void> {
                              SHUNT_TRY(check_cancel(cancel));
                              update(piece);
                              return {};
                            });
}

Result<bool> PassingDigest::finish() const {
  if (!sha_) return false;
  const std::string found = "sha256:" + sha_->hex();
  if (found == opened_.digest) return true;
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.path = opened_.name;
  error.operation = "verify";
  error.reason = "its digest is " + found;
  return error;
}

Result<bool> verify_bytes(const source::Opened& opened, const io::Source& from,
                          const CancelToken* cancel) {
  const ByteRange whole{0, opened.source->size()};
  PassingDigest digest(opened, {whole});
  SHUNT_TRY(digest.update_from(from, whole, cancel));
  return digest.finish();
}

Result<Delivered> verify_whole(const source::Opened& opened, const Context& context) {
  const io::FarAway& far = *opened.far_away();
  if (opened.digest.empty() || !far.missing({0, opened.source->size()}).empty()) return Delivered{};
  SHUNT_ASSIGN(const bool verified, far.verify(context));
  return Delivered{verified};
}

}  // namespace shunt::fetch
