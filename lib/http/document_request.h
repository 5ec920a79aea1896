// Requests one small document: follows redirects, renews credentials, repeats after failures.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/blob/authorizer.h"
#include "shunt/http/client.h"
#include "shunt/http/retry.h"

namespace shunt::http {

// Counts of small requests; shared by all that belong to one image. Thread-safe.
struct RequestCount {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> retries{0};
};

struct DocumentRequest {
  Request request;                               // its fields are sent to redirect targets too
  std::vector<Field> own_fields;                 // sent only to the origin of the request's URL
  std::shared_ptr<blob::Authorizer> authorizer;  // for the same origin; may be null
  std::size_t limit = 0;                         // largest document, in bytes
  RetryPolicy retry;
  std::shared_ptr<RequestCount> count;  // may be null
};

// Calls `done` once, on the client's thread, never before it has returned. Any final status counts
// as success: one that is not followed, renewed or repeated, or remains after that. For an answer
// other than 200 only the begin of the body is kept. Redirects are followed for GET, never from
// https to http. Destroying the Call cancels; a `done` that is just being called on the client's
// thread may still come. `client` outlives the Call.
[[nodiscard]] std::unique_ptr<Call> send_document(Client& client, DocumentRequest request,
                                                  std::function<void(Result<WholeAnswer>)> done);

// Same, but waits. Must not be called on the client's thread.
[[nodiscard]] Result<WholeAnswer> get_document(Client& client, DocumentRequest request);

}  // namespace shunt::http
