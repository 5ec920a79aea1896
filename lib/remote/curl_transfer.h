// One request on its way through libcurl: the easy handle, the fields of the answer, and who hears
// of it.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "remote/curl_setup.h"
#include "remote/http_client.h"

namespace shunt::remote {

class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  // What a transfer asks its engine while libcurl calls it.
  class Gate {
   public:
    virtual ~Gate() = default;
    // Whether `bytes` may be taken now. If not, the transfer waits until resume() is called.
    virtual bool admit(Transfer& transfer, std::size_t bytes) = 0;
  };

  Transfer(Request request, AnswerHandler& handler)
      : request_(std::move(request)), handler_(&handler) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // From any thread: once this has returned the handler is not called any more. Within a call of
  // the handler it returns at once.
  void cancel();
  [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // The rest is for the client's thread alone.

  // Prepares `easy` for this request and keeps it.
  Result<void> prepare(EasyHandle easy, const Settings& settings, Gate& gate);
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] EasyHandle give_back_easy();
  // Tells the handler how it ended; the last thing that happens to a transfer.
  void finish(CURLcode code);
  void finish(Result<void> outcome);
  // Not a byte for `seconds`, once there is a connection and nothing holds the transfer up. It is
  // to be ended then.
  [[nodiscard]] bool stalled(Clock::time_point now, double seconds);
  [[nodiscard]] CURLcode resume(Clock::time_point now);
  [[nodiscard]] const Request& request() const { return request_; }

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  Result<void> header_line(std::string_view line);
  Result<void> header_field(std::string_view line);
  Result<void> end_of_header();
  // Calls `what` with the handler, unless it has been cancelled.
  template <typename What>
  bool call(What what);
  // Whether the request is on its way: there is a connection.
  [[nodiscard]] bool sent() const;
  void log(const Result<void>& outcome) const;

  const Request request_;
  AnswerHandler* const handler_;
  std::atomic<bool> cancelled_{false};
  std::mutex calling_;  // held while the handler is called
  std::atomic<std::thread::id> caller_{};

  EasyHandle easy_;
  HeaderList fields_;
  Gate* gate_ = nullptr;
  char details_[CURL_ERROR_SIZE] = {};
  Answer answer_;
  std::size_t header_bytes_ = 0;
  std::size_t header_lines_ = 0;
  bool answered_ = false;
  bool paused_ = false;
  bool connected_ = false;
  bool finished_ = false;
  std::optional<Error> error_;  // ours or the handler's, rather than libcurl's
  std::uint64_t body_bytes_ = 0;
  Clock::time_point started_{};
  Clock::time_point last_byte_{};
};

}  // namespace shunt::remote
