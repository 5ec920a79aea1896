// The download of one range of a blob whose size is known.
#pragma once

#include "shunt/blob/origin.h"
#include "shunt/http_blob/request.h"

namespace shunt::http_blob {

class RangeDownload final : public BlobRequest {
 public:
  RangeDownload(http::Client& client, std::shared_ptr<BlobState> state_of_blob, ByteRange wanted,
                blob::Receiver& receiver);

 private:
  void describe(http::Request& request) override;
  Verdict judge(const http::Answer& answer) override;
  [[nodiscard]] std::uint64_t room_to_take(std::uint64_t wanted) override;
  Result<void> take(std::span<const std::byte> bytes) override;
  Result<void> complete() override;
  void ended(Result<void> outcome) override { receiver_.finished(std::move(outcome)); }

  Verdict judge_part(const http::Answer& answer);
  Verdict judge_whole(const http::Answer& answer);
  Verdict judge_unsatisfied(const http::Answer& answer);
  Verdict other_size(std::uint64_t found, Error error);
  [[nodiscard]] Error change();

  ByteRange wanted_;                       // becomes the whole blob if the server sends that
  std::uint64_t position_;                 // offset of the next byte for the receiver
  std::uint64_t at_ = 0;                   // offset of the next byte of the current answer
  ByteRange coming_;                       // range that the current answer holds
  std::optional<std::uint64_t> odd_size_;  // another size, in an answer for a blob with a digest
  blob::Receiver& receiver_;
  std::optional<PrefixCheck> prefix_check_;  // only for a blob without validator and digest
};

}  // namespace shunt::http_blob
