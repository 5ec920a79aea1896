// HTTP requests over libcurl's multi interface, in one thread of their own.
//
// The client knows requests and answers, nothing of blobs: no retry, no redirect, no
// authentication. HTTP/2 where the server has it, connections are kept and shared; proxies, CA
// files (CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR) and certificates as with curl.
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
  unsigned connections = 8;     // at once, over all servers
  std::uint64_t max_rate = 0;   // bytes a second over all connections; 0: no limit
  double connect_timeout = 30;  // seconds
  double stall_timeout = 30;    // seconds without a byte after which a request fails; 0: never
  // The same until the first byte of the answer. What is asked for may have to be made first: each
  // attempt waits twice as long as the one before, and there are three.
  double answer_timeout = 60;
  // Bytes a second, from the first byte of an answer on: below that for stall_timeout a request
  // fails, its attempts taken together. 0: never. Whoever takes the bytes may take his time.
  std::uint64_t low_speed = 100;
  const CancelToken* cancel = nullptr;  // asked at least every 100 ms; may be null
};

using blob::Field;

class SpeedWatch;

struct Request : blob::Request {
  std::chrono::milliseconds delay{0};  // wait so long before sending
  // The handler may not be ready() for the body. It is asked for by HTTP/1.1: libcurl reads on from
  // a stream of HTTP/2 that is held, 32 MiB of it.
  bool may_be_held = false;
  // Of all attempts at the same thing; null: this is the only one.
  std::shared_ptr<SpeedWatch> speed = {};
};

struct Answer : blob::Answer {
  double seconds = 0;  // from sending the request to the first byte of the answer
  std::optional<std::uint64_t> length = {};  // Content-Length, where there is one that counts
};

// All fields of that name as one list, separated by commas (RFC 9110, 5.3).
[[nodiscard]] std::string list_of(const Answer& answer, std::string_view name);

// Answer::length. kCorrupt for what is no length, and for lengths that differ.
[[nodiscard]] Result<std::optional<std::uint64_t>> content_length(const Answer& answer);

// Hears how a request goes; on the client's thread, one call at a time. An error from a call ends
// the request, and is what finished() gets.
class AnswerHandler {
 public:
  virtual ~AnswerHandler() = default;
  virtual Result<void> answered(const Answer& answer) = 0;  // once, before any body
  // Asked before each body(), with the number of its bytes. False: not now. The request is held,
  // however long, until Call::resume(); then it asks again. No time-out counts meanwhile.
  [[nodiscard]] virtual bool ready(std::size_t /*bytes*/) { return true; }
  virtual Result<void> body(std::span<const std::byte> bytes) = 0;
  // The last call, and the only one that surely comes. A body shorter than its Content-Length, a
  // reset, a time-out: kNetwork.
  virtual void finished(Result<void> outcome) = 0;
};

// A request under way; destroying it cancels it, as with blob::Download.
class Call {
 public:
  virtual ~Call() = default;
  // Asks the handler again, after its ready() was false. From any thread; does not block.
  virtual void resume() {}
};

class Client {
 public:
  static Result<std::shared_ptr<Client>> start(const ClientOptions& options);
  virtual ~Client() = default;  // cancels what is under way

  // `handler` is not owned. From any thread, the client's own included. May call finished() later
  // only, never before it has returned.
  [[nodiscard]] virtual std::unique_ptr<Call> send(Request request, AnswerHandler& handler) = 0;
  // Runs `task` on the client's thread, after `delay`.
  virtual void post(std::function<void()> task, std::chrono::milliseconds delay = {}) = 0;
  [[nodiscard]] virtual const ClientOptions& options() const = 0;
};

// A small answer as a whole.
struct WholeAnswer {
  Answer answer;
  std::string body;
};

}  // namespace shunt::http
