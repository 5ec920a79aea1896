// One request on its way through libcurl: the easy handle, the fields of the answer, and who hears
// of it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>

#include "shunt/http/call_gate.h"
#include "shunt/http/client.h"
#include "shunt/http/curl_setup.h"
#include "shunt/http/speed_watch.h"

namespace shunt::http {

class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  // What a transfer asks its engine while libcurl calls it.
  class Gate {
   public:
    virtual ~Gate() = default;
    // Whether `bytes` may be taken now. If not, the transfer waits until resume() is called.
    virtual bool admit(Transfer& transfer, std::size_t bytes) = 0;
    // A handler has kept the thread for so long.
    virtual void handled(Clock::duration took) = 0;
  };

  Transfer(Request request, AnswerHandler& handler)
      : request_(std::move(request)), handler_(&handler) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // From any thread: once this has returned the handler is not called any more. Within a call of
  // the handler it returns at once.
  void cancel();
  [[nodiscard]] bool cancelled() const { return calls_.closed(); }

  // The rest is for the client's thread alone.

  // Prepares `easy` for this request and keeps it.
  Result<void> prepare(EasyHandle easy, const Settings& settings, Gate& gate);
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] EasyHandle give_back_easy();
  // Tells the handler how it ended; the last thing that happens to a transfer.
  void finish(CURLcode code) noexcept;
  void finish(Result<void> outcome) noexcept;
  // Not a byte for as long as it is to wait, once there is a connection and nothing holds the
  // transfer up. It is to be ended then.
  [[nodiscard]] bool stalled(Clock::time_point now, const ClientOptions& options);
  // After another `waited` seconds in which its bytes would have been taken: whether they come too
  // slowly. It is to be ended then.
  [[nodiscard]] bool too_slow(double waited);
  // After Gate::admit() was false,
  [[nodiscard]] CURLcode resume(Clock::time_point now);
  // and after the handler was not ready.
  [[nodiscard]] CURLcode resume_held(Clock::time_point now);
  [[nodiscard]] const Request& request() const { return request_; }

 private:
  // Called by libcurl, whose frames no exception may pass: what is thrown ends the transfer.
  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  // Whether the handler takes so many bytes now. True as well when it was cancelled.
  [[nodiscard]] bool handler_is_ready(std::size_t bytes);
  // False once the transfer has been cancelled.
  Result<bool> body_piece(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> outcome_of(CURLcode code);
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
  CallGate calls_;  // of the handler

  EasyHandle easy_;
  HeaderList fields_;
  Gate* gate_ = nullptr;
  std::shared_ptr<SpeedWatch> speed_;
  char details_[CURL_ERROR_SIZE] = {};
  Answer answer_;
  std::size_t header_bytes_ = 0;
  std::size_t header_lines_ = 0;
  bool answered_ = false;
  bool begun_ = false;   // the first line of an answer is here
  bool paused_ = false;  // for the rate, or
  bool held_ = false;    // because the handler was not ready
  bool connected_ = false;
  bool finished_ = false;
  int socket_errno_ = 0;        // why there was no socket for it; 0: there was
  std::optional<Error> error_;  // ours or the handler's, rather than libcurl's
  std::uint64_t body_bytes_ = 0;
  Clock::time_point started_{};
  Clock::time_point last_byte_{};
};

}  // namespace shunt::http
