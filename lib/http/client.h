// HTTP requests over libcurl's multi interface, in one thread.
//
// The client handles single requests: no retry, redirects or authentication. Uses HTTP/2 if the
// server has it, except where Request::may_be_held; keeps and shares connections; uses proxies, CA
// files (CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR) and certificates as curl does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/blob/request.h"

namespace shunt::http {

struct ClientOptions {
  unsigned connections = 8;     // at once, to all servers together
  std::uint64_t max_rate = 0;   // bytes per second over all connections; 0: no limit
  double connect_timeout = 30;  // seconds
  double stall_timeout = 30;    // seconds without a byte after which a request fails; 0: never
  // Like stall_timeout, until the first byte of the answer. In seconds. A server may have to create
  // the content first: there are three attempts, each waiting twice as long as the one before.
  double answer_timeout = 60;
  // Bytes per second. A request slower than this for stall_timeout, over all attempts and from the
  // first byte of an answer on, fails. 0: never. Time that the receiver takes does not count.
  std::uint64_t low_speed = 100;
  const CancelToken* cancel = nullptr;  // asked at least every 100 ms; may be null
};

using blob::Field;

class SpeedWatch;

struct Request : blob::Request {
  std::chrono::milliseconds delay{0};  // wait before sending
  // True if the handler's room() may return less than is wanted. The request is then sent by
  // HTTP/1.1: libcurl goes on reading a paused stream of HTTP/2, up to 32 MiB.
  bool may_be_held = false;
  // Shared by all attempts at the same thing; null: there is only one.
  std::shared_ptr<SpeedWatch> speed = {};
};

struct Answer : blob::Answer {
  double seconds = 0;  // from sending the request to the first byte of the answer
  std::optional<std::uint64_t> length = {};  // Content-Length, if present and meaningful
};

// Returns all fields of that name as one comma-separated list (RFC 9110, 5.3).
[[nodiscard]] std::string list_of(const Answer& answer, std::string_view name);

// Returns Answer::length; kCorrupt if it is not a length, or if several differ.
[[nodiscard]] Result<std::optional<std::uint64_t>> content_length(const Answer& answer);

// Receives the answer to a request, on the client's thread, one call at a time. An error returned
// by a call ends the request and is passed to finished().
class AnswerHandler {
 public:
  virtual ~AnswerHandler() = default;
  virtual Result<void> answered(const Answer& answer) = 0;  // called once, before body()
  // Returns how many more bytes body() takes whenever they come, in one call or in several. Called
  // before more than that come. If it returns less than `wanted`, the request may pause, for any
  // length of time, until Call::resume(); this is then called again. No time-out runs meanwhile.
  [[nodiscard]] virtual std::uint64_t room(std::uint64_t /*wanted*/) { return UINT64_MAX; }
  virtual Result<void> body(std::span<const std::byte> bytes) = 0;
  // The last call, and the only one that always comes. kNetwork for a body shorter than its
  // Content-Length, a reset or a time-out.
  virtual void finished(Result<void> outcome) = 0;
};

// A request in progress. Destroying it cancels the request, as with blob::Download.
class Call {
 public:
  virtual ~Call() = default;
  // Calls room() of the handler again, after it was not enough. Thread-safe; does not block.
  virtual void resume() {}
};

// Thread-safe.
class Client {
 public:
  static Result<std::shared_ptr<Client>> start(const ClientOptions& options);
  virtual ~Client() = default;  // cancels all requests

  // Sends a request. `handler` is not owned and must outlive the Call. May be called on any thread,
  // including the client's own. finished() is never called before send() has returned.
  [[nodiscard]] virtual std::unique_ptr<Call> send(Request request, AnswerHandler& handler) = 0;
  // Runs `task` on the client's thread, after `delay`.
  virtual void post(std::function<void()> task, std::chrono::milliseconds delay = {}) = 0;
  [[nodiscard]] virtual const ClientOptions& options() const = 0;
};

// A small answer with its whole body.
struct WholeAnswer {
  Answer answer;
  std::string body;
};

}  // namespace shunt::http
