// The first request for a blob: its first bytes, and with them size, validator and final URL.
#pragma once

#include <future>
#include <optional>
#include <vector>

#include "remote/blob_request.h"

namespace shunt::remote {

class HeadRequest final : public BlobRequest {
 public:
  struct Found {
    BlobInfo info;
    bool unchanged = false;
    bool unsized = false;
    std::vector<std::byte> head;
  };

  HeadRequest(HttpClient& client, std::shared_ptr<BlobState> state, std::optional<BlobInfo> known);
  // Blocks until it has ended.
  Result<Found> wait() { return found_later_.get_future().get(); }

 private:
  void describe(Request& request) override;
  Verdict judge(const Answer& answer) override;
  Result<void> take(std::span<const std::byte> bytes) override;
  Result<void> complete() override;
  void ended(Result<void> outcome) override;

  Verdict judge_part(const Answer& answer);
  Verdict judge_whole(const Answer& answer);
  Verdict judge_unsatisfied(const Answer& answer);
  Verdict judge_unchanged(const Answer& answer);
  [[nodiscard]] Freshness freshness(const Answer& answer);
  Verdict settle(const Answer& answer, std::uint64_t size);
  // Whether what comes from where is asked now can be compared with `known_` at all.
  [[nodiscard]] bool comparable() const;

  std::optional<BlobInfo> known_;
  std::uint64_t most_;         // bytes from the start to ask for
  std::uint64_t asked_;        // of the request under way
  std::string place_;          // BlobInfo::place of the request under way
  std::uint64_t head_wanted_;  // of the answer under way
  Found found_;
  std::promise<Result<Found>> found_later_;
};

}  // namespace shunt::remote
