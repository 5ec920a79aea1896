#include "fetch/passing_digest.h"

#include <string>

namespace shunt::fetch {

PassingDigest::PassingDigest(const Opened& opened, const std::vector<ByteRange>& ranges)
    : opened_(opened),
      whole_(!opened.digest.empty() && ranges.size() == 1 &&
             ranges.front() == ByteRange{0, opened.source->size()}) {}

Result<bool> PassingDigest::finish() const {
  if (!whole_) return false;
  const std::string found = "sha256:" + sha_.hex();
  if (found == opened_.digest) return true;
  Error error;
  error.code = ErrorCode::kIntegrity;
  error.path = opened_.name;
  error.operation = "verify";
  error.reason = "its digest is " + found;
  return error;
}

Result<Delivered> verify_whole(const Opened& opened, Progress* progress) {
  const cache::CachedSource& cached = *opened.cached;
  if (opened.digest.empty() || !cached.missing({0, cached.size()}).empty()) return Delivered{};
  SHUNT_ASSIGN(const bool verified, cached.verify(progress));
  return Delivered{verified};
}

}  // namespace shunt::fetch
