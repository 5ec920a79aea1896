#include "support/fault_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace shunt::test {

namespace {

std::uint64_t word_of(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t value = (seed * 0x9e3779b97f4a7c15) ^ (index + 0x632be59bd9b4e019);
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

char byte_of(std::uint64_t word, std::uint64_t offset) {
  return static_cast<char>(static_cast<unsigned char>(word >> (offset % 8 * 8)));
}

struct Wanted {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool satisfiable = true;
};

// Accepts only "bytes=a-b", which is all that shunt may send.
std::optional<Wanted> parse_range(const std::string& text, std::uint64_t size) {
  if (!text.starts_with("bytes=")) return std::nullopt;
  const auto dash = text.find('-');
  if (dash == std::string::npos || text.find(',') != std::string::npos) return std::nullopt;
  const std::uint64_t first = std::strtoull(text.c_str() + 6, nullptr, 10);
  const std::string last = text.substr(dash + 1);
  std::uint64_t end = last.empty() ? size : std::strtoull(last.c_str(), nullptr, 10) + 1;
  end = std::min(end, size);
  return Wanted{first, end, first < size && first < end};
}

std::string reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 206:
      return "Partial Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 416:
      return "Range Not Satisfiable";
    default:
      return "Something";
  }
}

}  // namespace

char blob_byte(std::uint64_t seed, std::uint64_t offset) {
  return byte_of(word_of(seed, offset / 8), offset);
}

void fill_blob(std::uint64_t seed, std::uint64_t offset, std::span<char> into) {
  std::size_t i = 0;
  for (; i < into.size() && (offset + i) % 8 != 0; ++i) into[i] = blob_byte(seed, offset + i);
  for (; i + 8 <= into.size(); i += 8) {
    const std::uint64_t word = word_of(seed, (offset + i) / 8);
    std::memcpy(&into[i], &word, 8);  // little-endian machines only
  }
  for (; i < into.size(); ++i) into[i] = blob_byte(seed, offset + i);
}

std::string blob_bytes(std::uint64_t seed, std::uint64_t begin, std::uint64_t end) {
  std::string bytes(static_cast<std::size_t>(end - begin), '\0');
  fill_blob(seed, begin, bytes);
  return bytes;
}

std::string SeenRequest::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

struct FaultServer::Answer {
  int status = 200;
  std::string head;
  std::string text;         // the body, unless it is of the blob
  std::uint64_t begin = 0;  // of the blob
  std::uint64_t end = 0;
  bool chunked = false;
};

FaultServer::FaultServer(BlobServerOptions options, Judge judge, Log log)
    : options_(std::move(options)),
      judge_(std::move(judge)),
      log_(std::move(log)),
      listener_([this](Socket& socket) { serve(socket); }) {}

FaultServer::FaultServer(BlobServerOptions options, std::vector<Fault> script)
    : FaultServer(std::move(options), [script = std::move(script)](const SeenRequest& request) {
        return request.number < script.size() ? script[request.number] : Fault();
      }) {}

std::string FaultServer::url(const std::string& target) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), target);
}

std::vector<SeenRequest> FaultServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FaultServer::serve(Socket& socket) {
  std::string buffered;
  while (auto request = read_request(socket, buffered)) {
    {
      const std::lock_guard lock(mutex_);
      request->number = requests_.size();
      requests_.push_back(*request);
    }
    const Fault fault = judge_ ? judge_(*request) : Fault();
    if (!reply(socket, *request, fault)) return;
  }
}

std::optional<SeenRequest> FaultServer::read_request(Socket& socket, std::string& buffered) {
  const auto fill_until = [&](auto done) {
    char piece[4096];
    while (!done()) {
      const std::size_t count = socket.read(piece);
      if (count == 0) return false;
      buffered.append(piece, count);
    }
    return true;
  };
  std::size_t end = 0;
  if (!fill_until([&] { return (end = buffered.find("\r\n\r\n")) != std::string::npos; }))
    return {};
  const std::string head = buffered.substr(0, end + 2);
  buffered.erase(0, end + 4);

  SeenRequest request;
  request.when = std::chrono::steady_clock::now();
  std::size_t line_end = head.find("\r\n");
  const std::string first = head.substr(0, line_end);
  request.method = first.substr(0, first.find(' '));
  const std::size_t target = request.method.size() + 1;
  request.target = first.substr(target, first.rfind(' ') - target);
  for (std::size_t at = line_end + 2; at < head.size(); at = line_end + 2) {
    line_end = head.find("\r\n", at);
    const std::string line = head.substr(at, line_end - at);
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    value.erase(0, std::min(value.find_first_not_of(' '), value.size()));
    request.fields[name] = value;
  }
  const std::size_t length = std::strtoull(request.field("content-length").c_str(), nullptr, 10);
  if (!fill_until([&] { return buffered.size() >= length; })) return {};
  request.body = buffered.substr(0, length);
  buffered.erase(0, length);
  return request;
}

FaultServer::Answer FaultServer::make_answer(const SeenRequest& request, const Fault& fault) const {
  Answer answer;
  const std::string etag = fault.etag.empty() ? options_.etag : fault.etag;
  const std::string modified =
      fault.last_modified.empty() ? options_.last_modified : fault.last_modified;
  std::string fields;
  const auto add = [&fields](const std::string& name, const std::string& value) {
    fields += fmt::format("{}: {}\r\n", name, value);
  };
  if (etag != "-") add("ETag", etag);
  if (modified != "-") add("Last-Modified", modified);
  if (options_.accept_ranges && !fault.ignore_range) add("Accept-Ranges", "bytes");
  for (const auto& [name, value] : fault.fields) add(name, value);

  const auto wanted = parse_range(request.field("range"), options_.size);
  const std::string if_range = request.field("if-range");
  const bool part =
      wanted && !fault.ignore_range &&
      (if_range.empty() || fault.ignore_condition || if_range == etag || if_range == modified);
  const bool same = (request.has("if-none-match") && request.field("if-none-match") == etag) ||
                    (request.has("if-modified-since") && !request.has("if-none-match") &&
                     request.field("if-modified-since") == modified);
  answer.end = options_.size;
  if (fault.status != 0) {
    answer.status = fault.status;
    answer.text = fault.body_text;
    answer.end = 0;
  } else if (same && !fault.ignore_condition) {
    answer.status = 304;
    answer.end = 0;
  } else if (part && !wanted->satisfiable) {
    answer.status = 416;
    answer.end = 0;
    add("Content-Range", fmt::format("bytes */{}", options_.size));
  } else if (part) {
    answer.status = 206;
    answer.begin = wanted->begin;
    answer.end = wanted->end;
    add("Content-Range",
        fmt::format("bytes {}-{}/{}", answer.begin + static_cast<std::uint64_t>(fault.start_off),
                    answer.end - 1 + static_cast<std::uint64_t>(fault.end_off),
                    options_.size + static_cast<std::uint64_t>(fault.total_off)));
    if (fault.multipart) add("Content-Type", "multipart/byteranges; boundary=x");
  }
  answer.chunked = fault.no_length && answer.text.empty();
  if (answer.chunked) {
    add("Transfer-Encoding", "chunked");
  } else if (answer.status != 304) {
    add("Content-Length",
        std::to_string(answer.text.empty() ? answer.end - answer.begin : answer.text.size()));
  }
  answer.head =
      fmt::format("HTTP/1.1 {} {}\r\n{}\r\n", answer.status, reason_of(answer.status), fields);
  return answer;
}

bool FaultServer::reply(Socket& socket, const SeenRequest& request, const Fault& fault) {
  listener_.pause(options_.latency + fault.latency);
  std::uint64_t sent = 0;
  bool goes_on = true;
  int status = 0;
  if (fault.no_answer || !fault.raw.empty()) {
    if (!fault.raw.empty()) static_cast<void>(socket.write_text(fault.raw));
    if (fault.reset) socket.reset_on_close();
    goes_on = false;
  } else {
    const Answer answer = make_answer(request, fault);
    status = answer.status;
    goes_on = socket.write_text(answer.head);
    if (goes_on && request.method != "HEAD") goes_on = send_body(socket, answer, fault, sent);
  }
  if (log_) log_(request, status, sent);
  return goes_on;
}

bool FaultServer::send_body(Socket& socket, const Answer& answer, const Fault& fault,
                            std::uint64_t& sent) {
  if (!answer.text.empty()) {
    sent = answer.text.size();
    return socket.write_text(answer.text);
  }
  const std::uint64_t size = answer.end - answer.begin;
  const std::uint64_t last = std::min(size, fault.cut_at.value_or(size));
  const std::uint64_t rate = fault.rate != 0 ? fault.rate : options_.rate;
  std::vector<char> piece(rate == 0 ? 256 << 10 : std::clamp<std::uint64_t>(rate / 50, 1, 65536));
  const auto started = std::chrono::steady_clock::now();
  while (sent < last) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), last - sent));
    const std::span<char> bytes(piece.data(), count);
    fill_blob(options_.seed, answer.begin + sent, bytes);
    if (fault.corrupt && sent <= size / 2 && size / 2 < sent + count) {
      bytes[static_cast<std::size_t>(size / 2 - sent)] ^= 0x10;
    }
    if (answer.chunked && !socket.write_text(fmt::format("{:x}\r\n", count))) return false;
    if (!socket.write(bytes)) return false;
    if (answer.chunked && !socket.write_text("\r\n")) return false;
    sent += count;
    if (rate != 0) {
      const double due = static_cast<double>(sent) / static_cast<double>(rate);
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
      if (due > spent.count()) listener_.pause(due - spent.count());
      if (listener_.stopping()) return false;
    }
  }
  if (fault.cut_at) {
    listener_.pause(fault.stall);
    if (fault.reset) {
      // Sent bytes must arrive first: a reset discards those in flight.
      listener_.pause(0.02);
      socket.reset_on_close();
    }
    return false;
  }
  return !answer.chunked || socket.write_text("0\r\n\r\n");
}

}  // namespace shunt::test
