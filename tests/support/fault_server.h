// An HTTP/1.1 server on the loopback interface that serves one blob and misbehaves on demand.
//
// It uses plain sockets: a server library would keep answers correct, but here they must be cut,
// reset, slow or wrong at chosen bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/loopback.h"

namespace shunt::test {

// The byte at `offset` of the blob of `seed`; the blob is the same on all machines.
[[nodiscard]] char blob_byte(std::uint64_t seed, std::uint64_t offset);
void fill_blob(std::uint64_t seed, std::uint64_t offset, std::span<char> into);
[[nodiscard]] std::string blob_bytes(std::uint64_t seed, std::uint64_t begin, std::uint64_t end);

// A request as it came in.
struct SeenRequest {
  std::size_t number = 0;  // from 0, over all connections
  std::string method;
  std::string target;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
  std::chrono::steady_clock::time_point when;

  [[nodiscard]] bool has(const std::string& name) const { return fields.contains(name); }
  // Empty when it is not there.
  [[nodiscard]] std::string field(const std::string& name) const;
};

// The faults of one answer; by default none.
struct Fault {
  int status = 0;                 // replaces the correct status; the body is then a short text
  std::string body_text = {};     // the body for `status`
  std::string raw = {};           // sent in place of an answer; then the connection is closed
  bool no_answer = false;         // close the connection
  bool ignore_range = false;      // 200 and the whole blob
  bool ignore_condition = false;  // treat If-None-Match and If-Range as fulfilled
  bool no_length = false;         // chunked, without Content-Length
  bool multipart = false;         // says multipart/byteranges
  std::int64_t start_off = 0;     // offset of the numbers in Content-Range
  std::int64_t end_off = 0;
  std::int64_t total_off = 0;
  std::optional<std::uint64_t> cut_at = {};  // send only this many bytes of the body
  bool reset = false;                        // with cut_at: by a reset
  double stall = 0;                          // with cut_at: seconds to wait before the end
  bool corrupt = false;                      // flip a bit in the middle of the body
  double latency = 0;                        // seconds before the answer, besides the server's own
  std::uint64_t rate = 0;                    // bytes per second, in place of the server's own
  std::string etag = {};                     // replaces the server's; "-": none
  std::string last_modified = {};            // likewise
  std::vector<std::pair<std::string, std::string>> fields = {};  // added to the answer
};

struct BlobServerOptions {
  std::uint64_t size = 1 << 20;
  std::uint64_t seed = 1;
  std::string etag = "\"v1\"";
  std::string last_modified = "Tue, 01 Jan 2019 00:00:00 GMT";
  double latency = 0;         // seconds before each answer
  std::uint64_t rate = 0;     // bytes a second of each connection; 0: no limit
  bool accept_ranges = true;  // announce ranges; they are served in any case
};

class FaultServer {
 public:
  // Called for each request, concurrently on many threads.
  using Judge = std::function<Fault(const SeenRequest&)>;
  // Called after each answer with the number of body bytes sent.
  using Log = std::function<void(const SeenRequest&, int status, std::uint64_t sent)>;

  explicit FaultServer(BlobServerOptions options = {}, Judge judge = {}, Log log = {});
  // The n-th request gets the n-th fault; later ones none.
  FaultServer(BlobServerOptions options, std::vector<Fault> script);
  ~FaultServer() { listener_.stop(); }

  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  [[nodiscard]] std::string url(const std::string& target = "/blob") const;
  [[nodiscard]] std::vector<SeenRequest> requests() const;
  [[nodiscard]] unsigned connections() const { return listener_.connections(); }
  [[nodiscard]] std::string bytes(std::uint64_t begin, std::uint64_t end) const {
    return blob_bytes(options_.seed, begin, end);
  }

 private:
  struct Answer;

  void serve(Socket& socket);
  [[nodiscard]] std::optional<SeenRequest> read_request(Socket& socket, std::string& buffered);
  // Returns true if the connection continues.
  bool reply(Socket& socket, const SeenRequest& request, const Fault& fault);
  [[nodiscard]] Answer make_answer(const SeenRequest& request, const Fault& fault) const;
  bool send_body(Socket& socket, const Answer& answer, const Fault& fault, std::uint64_t& sent);

  const BlobServerOptions options_;
  const Judge judge_;
  const Log log_;
  mutable std::mutex mutex_;
  std::vector<SeenRequest> requests_;
  Listener listener_;
};

}  // namespace shunt::test
