// Who a request is sent as: the Authorization field, and what to do about a 401.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "remote/http_client.h"

namespace shunt::remote {

// Thread-safe; nothing in it blocks, so that the client's thread may call it.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // The value of Authorization for a request to `url`; empty: send none. Credentials are given to
  // the scheme, host and port that they are for and to no other.
  [[nodiscard]] virtual std::string authorization(const std::string& url) = 0;
  // `url` answered 401 to a request that carried `used` (empty: none). Gets something better, once
  // for all that ask at the same time, then calls `done` on the client's thread: success means to
  // try again. When authorization(url) is another than `used` already, that is at once.
  virtual void renew(const std::string& url, const Answer& answer, const std::string& used,
                     std::function<void(Result<void>)> done) = 0;
};

// Sends a fixed value (Basic credentials from a URL, say) to the origin of `url`; a 401 is final.
[[nodiscard]] std::shared_ptr<Authorizer> fixed_authorization(const std::string& url,
                                                              std::string value);

}  // namespace shunt::remote
