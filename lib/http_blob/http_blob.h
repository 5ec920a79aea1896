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
  std::string url;                  // user and password in it become Basic credentials
  std::vector<http::Field> fields;  // of the user; go to the scheme, host and port of `url` only
  std::shared_ptr<blob::Authorizer> authorizer;  // may be null
  std::string name;                              // for messages; empty: the URL without credentials
  std::string digest;                            // what the whole blob has to have; may be empty
  std::optional<std::uint64_t> size;             // where it is known already, from a manifest
  http::RetryPolicy retry;
};

// Who asks, and whatever else of the request may decide what comes for a URL: the password in it,
// and the fields of the user. Empty: anybody. It holds secrets, and is for hashing.
[[nodiscard]] std::string asker_of(const HttpBlob& blob);

// What the first request to a blob has found.
struct OpenedBlob {
  std::shared_ptr<blob::Origin> origin;  // null with `unsized`
  bool unchanged = false;                // it is still what `known` describes
  bool unsized = false;         // the server does not say how large it is: see read_unsized
  std::vector<std::byte> head;  // the bytes from 0 that came with the answer; may be empty
  blob::Traffic traffic;        // with `unsized`, what it cost to find out
};

// How much of a blob the first request asks for.
inline constexpr std::uint64_t kHeadSize = std::uint64_t{64} << 10;

// Asks for the first bytes, which tells size, validator and where redirects lead. With `known`
// (its validator must not be empty), the server may answer that nothing has changed. Blocks.
[[nodiscard]] Result<OpenedBlob> open_blob(const std::shared_ptr<http::Client>& client,
                                           HttpBlob blob, const std::optional<blob::Info>& known);

// The blob that `info` describes, without asking: the first request will.
[[nodiscard]] std::shared_ptr<blob::Origin> assume_blob(const std::shared_ptr<http::Client>& client,
                                                        HttpBlob blob, blob::Info info);

// A body whose size shows only at its end, from the start, in order; it cannot be resumed. The
// connection is closed once `most` bytes, which are not none, are here. `receiver` hears of it on
// the client's thread, and may take its time where nothing else is going on; blocks until it has
// ended.
struct UnsizedEnd {
  Result<void> outcome;
  blob::Traffic traffic;  // also of what failed
};
[[nodiscard]] UnsizedEnd read_unsized(const std::shared_ptr<http::Client>& client, HttpBlob blob,
                                      blob::Receiver& receiver, std::uint64_t most = UINT64_MAX);

}  // namespace shunt::http_blob
