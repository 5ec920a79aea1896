// The first request for a blob: gets its first bytes, size, validator and final URL.
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
  // Blocks until the request has ended.
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
  // Returns true if an answer from the URL of the current request can be compared with `known_`.
  [[nodiscard]] bool comparable() const;

  std::optional<blob::Info> known_;
  std::uint64_t most_;         // bytes to ask for, from the start
  std::uint64_t asked_;        // bytes asked for in the current request
  std::string place_;          // Info::place of the current request
  std::uint64_t head_wanted_;  // bytes of the current answer to keep
  Found found_;
  std::promise<Result<Found>> found_later_;
};

}  // namespace shunt::http_blob
