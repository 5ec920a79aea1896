#include "shunt/source/unsized.h"

#include <fmt/format.h>

#include <utility>

#include "shunt/io/spool.h"
#include "shunt/text/size_text.h"

namespace shunt::source {
namespace {

class Taker final : public blob::Receiver {
 public:
  explicit Taker(const TakeBytes& take) : take_(take) {}
  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override {
    SHUNT_TRY(take_(offset, bytes));
    size_ = offset + bytes.size();
    return {};
  }
  void finished(Result<void> /*outcome*/) override {}
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  const TakeBytes& take_;
  std::uint64_t size_ = 0;
};

}  // namespace

UnsizedRead read_unsized(const Unsized& body, std::uint64_t most, const TakeBytes& take) {
  Taker taker(take);
  Unsized::End end = body.read(taker, most);
  return {std::move(end.outcome), end.traffic, taker.size()};
}

UnsizedRead spool_unsized(const Unsized& body, io::SourcePtr& source, std::uint64_t most) {
  io::Spool spool;
  const auto take = [&](std::uint64_t, std::span<const std::byte> bytes) -> Result<void> {
    if (bytes.size() > most - spool.size()) {
      return corrupt(fmt::format("the server does not tell its size, and it exceeds the limit of "
                                 "{} for such a source",
                                 format_size(most)))
          .with_path(body.name())
          .with_hint("download it with 'shunt fetch -o FILE' first");
    }
    return spool.append(bytes);
  };
  UnsizedRead done = read_unsized(body, UINT64_MAX, take);
  if (!done.outcome) return done;
  Result<io::SourcePtr> finished = spool.finish(body.name());
  if (finished) {
    source = std::move(*finished);
  } else {
    done.outcome = finished.error();
  }
  return done;
}

}  // namespace shunt::source
