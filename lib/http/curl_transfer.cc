#include "shunt/http/curl_transfer.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>

#include "shunt/base/catching.h"
#include "shunt/base/log.h"
#include "shunt/http/retry.h"
#include "shunt/http/url.h"
#include "shunt/text/ascii.h"

namespace shunt::http {

namespace {

// More than any server has reason to send, including interim answers and trailers.
constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxHeaderFields = 256;

Error network(const Request& request, std::string reason) {
  Error error;
  error.code = ErrorCode::kNetwork;
  error.path = show_url(request.url);
  error.operation = request.method;
  error.reason = std::move(reason);
  return error;
}

// A return value that makes libcurl abort a callback for `bytes`.
std::size_t other_than(std::size_t bytes) {
  return bytes == 0 ? 1 : 0;
}

}  // namespace

void Transfer::cancel() {
  calls_.close();
}

template <typename What>
bool Transfer::call(What what) {
  return calls_.pass([&] {
    const auto before = Clock::now();
    what(*handler_);
    if (gate_ != nullptr) gate_->handled(Clock::now() - before);
  });
}

Result<void> Transfer::prepare(EasyHandle easy, const Settings& settings, Gate& gate) {
  SHUNT_ASSIGN(fields_, make_header_list(request_));
  easy_ = std::move(easy);
  gate_ = &gate;
  speed_ = request_.speed;
  if (speed_ == nullptr) {
    speed_ =
        std::make_shared<SpeedWatch>(settings.options.low_speed, settings.options.stall_timeout);
  }
  SHUNT_TRY(set_common_options(easy_.get(), settings));
  bool complete = true;
  const auto set = [&](CURLoption option, auto value) {
    complete &= curl().easy_setopt(easy_.get(), option, value) != CURLE_OUT_OF_MEMORY;
  };
  set(CURLOPT_URL, request_.url.c_str());
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.may_be_held) {
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  }
  set(CURLOPT_HTTPHEADER, fields_.get());
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(details_));
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (!complete) return out_of_memory();
  largest_piece_ = static_cast<std::size_t>(settings.buffer_size);
  started_ = last_byte_ = Clock::now();
  return {};
}

EasyHandle Transfer::give_back_easy() {
  if (easy_) curl().easy_reset(easy_.get());
  return std::move(easy_);
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count,
                                void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  Result<void> taken = catching([&] { return transfer.header_line({data, bytes}); });
  if (taken) return bytes;
  transfer.error_ = std::move(taken).error();
  return other_than(bytes);
}

Result<void> Transfer::header_line(std::string_view line) {
  last_byte_ = Clock::now();
  begun_ = true;
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes || ++header_lines_ > kMaxHeaderFields) {
    return network(request_, answered_ ? "too many trailers come after the answer"
                                       : "the header section of the answer is too long");
  }
  // Trailers do not count as progress: a server that only sends them is too slow.
  if (answered_) return {};
  speed_->came(line.size());
  const auto end = line.find_last_not_of("\r\n");
  line = end == std::string_view::npos ? std::string_view() : line.substr(0, end + 1);
  if (line.empty()) return end_of_header();
  return header_field(line);
}

Result<void> Transfer::header_field(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // a status line: drops an interim answer before it
    answer_.fields.clear();
    return {};
  }
  if ((line.front() == ' ' || line.front() == '\t') && !answer_.fields.empty()) {
    answer_.fields.back().value += fmt::format(" {}", ascii::trimmed(line));  // RFC 9112, 5.2
    return {};
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  answer_.fields.push_back(
      {std::string(line.substr(0, colon)), std::string(ascii::trimmed(line.substr(colon + 1)))});
  return {};
}

Result<void> Transfer::end_of_header() {
  long status = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return {};  // an interim answer
  answer_.status = static_cast<int>(status);
  const auto length = content_length(answer_);
  if (!length) return network(request_, length.error().reason);
  answer_.length = *length;
  curl_off_t sent = 0;
  curl_off_t first_byte = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &sent);
  curl().easy_getinfo(easy_.get(), CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
  answer_.seconds = static_cast<double>(std::max<curl_off_t>(0, first_byte - sent)) / 1e6;
  answered_ = true;
  Result<void> heard;
  call([&](AnswerHandler& handler) { heard = handler.answered(answer_); });
  last_byte_ = Clock::now();  // the handler's time does not count as a stall
  return heard;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count,
                              void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  Result<Piece> piece =
      catching([&] { return transfer.body_piece(std::as_bytes(std::span(data, bytes))); });
  if (piece && *piece == Piece::kLater) return CURL_WRITEFUNC_PAUSE;
  if (piece && *piece == Piece::kTaken) return bytes;
  if (!piece) transfer.error_ = std::move(piece).error();
  return other_than(bytes);
}

void Transfer::hold_if_full() {
  // What libcurl has read already comes in several pieces, though it is paused.
  if (held_ || has_room(largest_piece_)) return;
  // Both directions: with one alone, libcurl reads another piece first, and has to copy it. Nothing
  // is sent any more.
  curl().easy_pause(easy_.get(), CURLPAUSE_ALL);
}

// Opens the socket as libcurl does, to keep the errno.
curl_socket_t Transfer::on_socket(void* self, curlsocktype /*purpose*/,
                                  curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  transfer.socket_errno_ = fd < 0 ? errno : 0;
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

Result<Transfer::Piece> Transfer::body_piece(std::span<const std::byte> bytes) {
  // The handler first: bytes that it does not take must not count for the rate.
  if (!has_room(bytes.size())) return Piece::kLater;
  paused_ = !gate_->admit(*this, bytes.size());
  if (paused_) return Piece::kLater;
  last_byte_ = Clock::now();
  body_bytes_ += bytes.size();
  room_ -= bytes.size();
  speed_->came(bytes.size());
  Result<void> heard;
  const bool called = call([&](AnswerHandler& handler) { heard = handler.body(bytes); });
  last_byte_ = Clock::now();
  SHUNT_TRY(heard);
  if (!called) return Piece::kCancelled;
  if (request_.may_be_held) hold_if_full();
  return Piece::kTaken;
}

bool Transfer::has_room(std::uint64_t bytes) {
  if (room_ < bytes) {
    room_ = bytes;
    call([&](AnswerHandler& handler) { room_ = handler.room(bytes); });
  }
  if (room_ < bytes) held_ = true;
  return room_ >= bytes;
}

bool Transfer::sent() const {
  curl_off_t when = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &when);
  return when != 0;
}

namespace {

std::string silence(double seconds) {
  return fmt::format("no data has come for {} s", seconds);
}

}  // namespace

bool Transfer::stalled(Clock::time_point now, const ClientOptions& options) {
  const double seconds =
      begun_ ? options.stall_timeout : options.answer_timeout * speed_->patience();
  if (paused_ || held_ || seconds <= 0) return false;
  if (!connected_) {
    // Connecting has its own time-out.
    if (!sent()) return false;
    connected_ = true;
    last_byte_ = std::max(last_byte_, now);
  }
  if (std::chrono::duration<double>(now - last_byte_).count() <= seconds) return false;
  error_ = network(request_, silence(seconds));
  if (!begun_) speed_->was_not_answered();
  return true;
}

bool Transfer::too_slow(double waited) {
  if (paused_ || held_ || !begun_) return false;
  speed_->waited(waited);
  if (!speed_->too_slow()) return false;
  error_ =
      network(request_, speed_->silent() ? silence(speed_->seconds())
                                         : "the server sends too slowly, a few bytes now and then");
  return true;
}

CURLcode Transfer::resume(Clock::time_point now) {
  paused_ = false;
  return go_on(now);
}

CURLcode Transfer::resume_held(Clock::time_point now) {
  if (!held_) return CURLE_OK;
  held_ = false;
  return go_on(now);
}

CURLcode Transfer::go_on(Clock::time_point now) {
  if (paused_ || held_) return CURLE_OK;
  last_byte_ = now;
  return curl().easy_pause(easy_.get(), CURLPAUSE_CONT);
}

Result<void> Transfer::outcome_of(CURLcode code) {
  if (error_) return std::move(*error_);
  // libcurl also says this of a line that is too long.
  if (code == CURLE_OUT_OF_MEMORY && sent() && !answered_) {
    return network(request_, "a line of the answer's header section is too long");
  }
  if (code == CURLE_OUT_OF_MEMORY) return out_of_memory();
  if (code == CURLE_COULDNT_CONNECT && is_want_of_sockets(socket_errno_)) {
    return socket_error(socket_errno_, request_);
  }
  if (code != CURLE_OK) return curl_error(code, request_, details_);
  if (!answered_) return network(request_, "the server closed without an answer");
  return {};
}

void Transfer::finish(CURLcode code) noexcept {
  finish(catching([&] { return outcome_of(code); }));
}

void Transfer::finish(Result<void> outcome) noexcept {
  if (finished_) return;
  finished_ = true;
  attempt([&] { log(outcome); });
  // A handler that throws has already told those who wait for it.
  attempt([&] { call([&](AnswerHandler& handler) { handler.finished(std::move(outcome)); }); });
}

void Transfer::log(const Result<void>& outcome) const {
  if (!log::enabled(log::Level::kDebug)) return;
  const double seconds =
      easy_ ? std::chrono::duration<double>(Clock::now() - started_).count() : 0.0;
  log::debug("{} {}{}: {}, {} bytes in {:.3f} s{}{}", request_.method, show_url(request_.url),
             request_.range
                 ? fmt::format(" bytes {}-{}", request_.range->begin, request_.range->end - 1)
                 : "",
             answer_.status, body_bytes_, seconds, outcome ? "" : ": ",
             outcome ? "" : outcome.error().reason);
}

}  // namespace shunt::http
