// What the tests of blobs over HTTP share: a blob that is known, a Receiver that holds
// what comes against the order in which it has to come.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shunt/http_blob/http_blob.h"
#include "unit/http/client_fixture.h"

namespace shunt::http_blob {

using namespace std::chrono_literals;
using http::Outcome;
using http::start_client;
using test::BlobServerOptions;
using test::Fault;
using test::FaultServer;
using test::SeenRequest;

inline constexpr std::uint64_t kSize = 1 << 20;

// With delays that a test can wait for.
inline HttpBlob blob_at(const std::string& url) {
  HttpBlob blob;
  blob.url = url;
  blob.retry = {.attempts = 4, .first_delay = 0.001, .longest_delay = 0.002};
  return blob;
}

inline blob::Info info_of(std::uint64_t size = kSize) {
  blob::Info info;
  info.name = "blob";
  info.validator = "\"v1\"";
  info.size = size;
  return info;
}

// Holds what comes against the order in which it has to come.
class Sink final : public blob::Receiver {
 public:
  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (!first) first = offset;
    if (bytes.empty() || offset != *first + received.size()) in_order = false;
    received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (refuse_after && received.size() >= *refuse_after) return corrupt("refused");
    return {};
  }
  void finished(Result<void> outcome) override { outcome_.set(std::move(outcome)); }
  Result<void> wait() { return outcome_.wait(); }

  std::optional<std::uint64_t> first;
  std::optional<std::size_t> refuse_after;
  std::string received;
  bool in_order = true;

 private:
  Outcome outcome_;
};

inline Result<void> download(blob::Origin& origin, ByteRange range, Sink& sink) {
  const auto download = origin.start(range, sink);
  auto outcome = sink.wait();
  CHECK(sink.in_order);
  return outcome;
}

// Downloads `range` from a server with a script; the blob is known already.
struct Run {
  explicit Run(std::vector<Fault> script, ByteRange wanted = {1000, 900'000},
               BlobServerOptions options = {.size = kSize})
      : server(options, std::move(script)), range(wanted), blob(blob_at(server.url())) {}
  Result<void> go() {
    origin = assume_blob(client, blob, info);
    return download(*origin, range, sink);
  }
  void check_range_arrived() {
    CHECK(sink.first == range.begin);
    CHECK((sink.received == server.bytes(range.begin, range.end)));
  }

  std::shared_ptr<http::Client> client = start_client();
  FaultServer server;
  ByteRange range;
  HttpBlob blob;
  blob::Info info = info_of();
  std::shared_ptr<blob::Origin> origin;
  Sink sink;
};

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::vector<Fault> times(std::size_t count, const Fault& fault) {
  return {count, fault};
}

}  // namespace shunt::http_blob
