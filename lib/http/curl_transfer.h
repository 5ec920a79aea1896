// One request as a libcurl transfer: its easy handle, the fields of the answer, and the handler.
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

// Used by the client's thread, except cancel() and cancelled(). `handler` is not owned.
class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  // What a transfer asks of its engine while libcurl calls it. Not owned.
  class Gate {
   public:
    virtual ~Gate() = default;
    // Returns whether `bytes` may be taken now. If not, the transfer waits for resume().
    virtual bool admit(Transfer& transfer, std::size_t bytes) = 0;
    // A handler has kept the thread for `took`.
    virtual void handled(Clock::duration took) = 0;
  };

  Transfer(Request request, AnswerHandler& handler)
      : request_(std::move(request)), handler_(&handler) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Thread-safe. Once it has returned, the handler is not called any more. Called by the handler
  // itself, it returns at once.
  void cancel();
  [[nodiscard]] bool cancelled() const { return calls_.closed(); }

  // The rest is called by the client's thread only.

  // Sets `easy` up for this request and keeps it.
  Result<void> prepare(EasyHandle easy, const Settings& settings, Gate& gate);
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  [[nodiscard]] EasyHandle give_back_easy();
  // Tells the handler the outcome. The last call for a transfer.
  void finish(CURLcode code) noexcept;
  void finish(Result<void> outcome) noexcept;
  // Returns true if it is connected, not paused, and no byte has come within the time-out; it must
  // then be ended.
  [[nodiscard]] bool stalled(Clock::time_point now, const ClientOptions& options);
  // Adds `waited` seconds in which its bytes would have been taken. Returns true if they come too
  // slowly; it must then be ended.
  [[nodiscard]] bool too_slow(double waited);
  // Continues after Gate::admit() has returned false.
  [[nodiscard]] CURLcode resume(Clock::time_point now);
  // Continues after the handler had no room.
  [[nodiscard]] CURLcode resume_held(Clock::time_point now);
  [[nodiscard]] const Request& request() const { return request_; }

 private:
  // Called by libcurl, which exceptions must not pass; an exception ends the transfer.
  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  // Returns true if the handler takes this many bytes now, or if the transfer has been cancelled.
  // Otherwise the transfer is held.
  [[nodiscard]] bool has_room(std::uint64_t bytes);
  // Pauses the transfer if the handler has no room for another piece. libcurl has to copy a piece
  // that is refused, but not one that it has not read yet.
  void hold_if_full();
  // Unless something else holds it up.
  [[nodiscard]] CURLcode go_on(Clock::time_point now);
  // kLater: the transfer is paused, and libcurl brings the same bytes again.
  enum class Piece { kTaken, kLater, kCancelled };
  Result<Piece> body_piece(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> outcome_of(CURLcode code);
  Result<void> header_line(std::string_view line);
  Result<void> header_field(std::string_view line);
  Result<void> end_of_header();
  // Calls `what` with the handler, unless it was cancelled.
  template <typename What>
  bool call(What what);
  // Returns true if there is a connection, so that the request has been sent.
  [[nodiscard]] bool sent() const;
  void log(const Result<void>& outcome) const;

  const Request request_;
  AnswerHandler* const handler_;
  CallGate calls_;  // guards calls of handler_

  EasyHandle easy_;
  HeaderList fields_;
  Gate* gate_ = nullptr;
  std::shared_ptr<SpeedWatch> speed_;
  char details_[CURL_ERROR_SIZE] = {};
  Answer answer_;
  std::size_t header_bytes_ = 0;
  std::size_t header_lines_ = 0;
  bool answered_ = false;
  bool begun_ = false;             // the first line of the answer has come
  bool paused_ = false;            // by the limit of the rate
  bool held_ = false;              // paused because the handler had no room
  std::uint64_t room_ = 0;         // bytes that the handler has promised to take
  std::size_t largest_piece_ = 0;  // that libcurl reads at once
  bool connected_ = false;
  bool finished_ = false;
  int socket_errno_ = 0;        // why no socket could be opened; 0: none failed
  std::optional<Error> error_;  // from us or the handler, not from libcurl
  std::uint64_t body_bytes_ = 0;
  Clock::time_point started_{};
  Clock::time_point last_byte_{};
};

}  // namespace shunt::http
