// Reads a body of unknown size from its start, to its end or to a limit.
#pragma once

#include <future>

#include "shunt/http_blob/request.h"

namespace shunt::http_blob {

class UnsizedRead final : public BlobRequest {
 public:
  UnsizedRead(http::Client& client, std::shared_ptr<BlobState> state, blob::Receiver& receiver,
              std::uint64_t most)
      : BlobRequest(client, std::move(state)), most_(most), receiver_(receiver) {}
  // Blocks until the read has ended.
  Result<void> wait() { return outcome_later_.get_future().get(); }

 private:
  void describe(http::Request& /*request*/) override {}
  Verdict judge(const http::Answer& answer) override;
  Result<void> take(std::span<const std::byte> bytes) override;
  Result<void> complete() override { return {}; }
  [[nodiscard]] bool may_repeat() const override { return position_ == 0; }
  void ended(Result<void> outcome) override;

  const std::uint64_t most_;  // bytes
  std::uint64_t position_ = 0;
  blob::Receiver& receiver_;
  std::promise<Result<void>> outcome_later_;
};

}  // namespace shunt::http_blob
