// The first request for a blob: its first bytes, and with them size, validator and final URL.
#pragma once

#include <future>
#include <optional>
#include <vector>

#include "shunt/http_blob/request.h"

namespace shunt::http_blob {

class HeadRequest final : public BlobRequest {
 public:
  struct Found {
    blob::Info info;
    bool unchanged = false;
    bool unsized = false;
    std::vector<std::byte> head;
  };

  HeadRequest(http::Client& client, std::shared_ptr<BlobState> state,
              std::optional<blob::Info> known);
  // Blocks until it has ended.
  Result<Found> wait() { return found_later_.get_future().get(); }

 private:
  void describe(http::Request& request) override;
  Verdict judge(const http::Answer& answer) override;
  Result<void> take(std::span<const std::byte> bytes) override;
  Result<void> complete() override;
  void ended(Result<void> outcome) override;

  Verdict judge_part(const http::Answer& answer);
  Verdict judge_whole(const http::Answer& answer);
  Verdict judge_unsatisfied(const http::Answer& answer);
  Verdict judge_unchanged(const http::Answer& answer);
  [[nodiscard]] blob::Freshness freshness(const http::Answer& answer);
  Verdict settle(const http::Answer& answer, std::uint64_t size);
  // Whether what comes from where is asked now can be compared with `known_` at all.
  [[nodiscard]] bool comparable() const;

  std::optional<blob::Info> known_;
  std::uint64_t most_;         // bytes from the start to ask for
  std::uint64_t asked_;        // of the request under way
  std::string place_;          // Info::place of the request under way
  std::uint64_t head_wanted_;  // of the answer under way
  Found found_;
  std::promise<Result<Found>> found_later_;
};

}  // namespace shunt::http_blob
