// Asking for one small document until it is there: redirects, renewal of what it is authorised
// with, and repetition after failures.
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

// What small requests have cost; shared by all that belong to one image.
struct RequestCount {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> retries{0};
};

struct DocumentRequest {
  Request request;                               // its fields go to wherever redirects lead
  std::vector<Field> own_fields;                 // to the scheme, host and port of its URL only
  std::shared_ptr<blob::Authorizer> authorizer;  // for these too; may be null
  std::size_t limit = 0;                         // bytes that the document may have
  RetryPolicy retry;
  std::shared_ptr<RequestCount> count;  // may be null
};

// Calls `done` once, on the client's thread, never before it has returned. Any status is a success
// that is neither followed, renewed nor worth repeating, or still there after all of that; of an
// answer other than 200, only the beginning of the body is kept. Redirects are followed for GET,
// never from https to http. Destroying the Call cancels; a call of `done` that is about to be made
// on the client's thread at that moment may still come.
[[nodiscard]] std::unique_ptr<Call> send_document(Client& client, DocumentRequest request,
                                                  std::function<void(Result<WholeAnswer>)> done);

// The same, and waits; never on the client's thread.
[[nodiscard]] Result<WholeAnswer> get_document(Client& client, DocumentRequest request);

}  // namespace shunt::http
