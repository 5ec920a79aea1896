// A blob behind an HTTP or HTTPS URL: ranges, retry, resume, redirects, If-Range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/blob/authorizer.h"
#include "shunt/blob/origin.h"
#include "shunt/http/client.h"
#include "shunt/http/retry.h"

namespace shunt::http_blob {

struct HttpBlob {
  std::string url;                  // its user and password become Basic credentials
  std::vector<http::Field> fields;  // set by the user; sent only to the origin of `url`
  std::shared_ptr<blob::Authorizer> authorizer;  // may be null
  std::string name;                              // for messages; empty: the URL without credentials
  std::string digest;                            // of the whole blob; may be empty
  std::optional<std::uint64_t> size;             // if known already, from a manifest
  http::RetryPolicy retry;
};

// Returns what besides the URL may decide what the server sends: the credentials in the URL and the
// user's fields. Empty if there are none. Contains secrets; for hashing only.
[[nodiscard]] std::string asker_of(const HttpBlob& blob);

// The result of the first request for a blob.
struct OpenedBlob {
  std::shared_ptr<blob::Origin> origin;  // null if `unsized`
  bool unchanged = false;                // the blob still is what `known` describes
  bool unsized = false;                  // the server does not tell its size: see read_unsized
  std::vector<std::byte> head;           // bytes from 0 that came with the answer; may be empty
  blob::Traffic traffic;                 // if `unsized`: the cost of the request
};

// Bytes that the first request asks for.
inline constexpr std::uint64_t kHeadSize = std::uint64_t{64} << 10;

// Requests the first bytes, and learns size, validator and redirects. With `known`, whose validator
// must not be empty, the server may answer that nothing has changed. Blocks.
[[nodiscard]] Result<OpenedBlob> open_blob(const std::shared_ptr<http::Client>& client,
                                           HttpBlob blob, const std::optional<blob::Info>& known);

// Returns the blob that `info` describes, without a request; the first download makes one.
[[nodiscard]] std::shared_ptr<blob::Origin> assume_blob(const std::shared_ptr<http::Client>& client,
                                                        HttpBlob blob, blob::Info info);

// Reads a body whose size is only known at its end, from the start and in order; it cannot be
// resumed. After `most` bytes (not 0) the connection is closed. `receiver` is called on the
// client's thread and may block it if the client does nothing else. Blocks until the end.
struct UnsizedEnd {
  Result<void> outcome;
  blob::Traffic traffic;  // also of a failed read
};
[[nodiscard]] UnsizedEnd read_unsized(const std::shared_ptr<http::Client>& client, HttpBlob blob,
                                      blob::Receiver& receiver, std::uint64_t most = UINT64_MAX);

}  // namespace shunt::http_blob
