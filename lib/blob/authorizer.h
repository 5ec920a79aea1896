// Who signs a request: what it carries so that its server lets it in, and what to do when the
// server does not.
#pragma once

#include <functional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/blob/request.h"

namespace shunt::blob {

// Thread-safe; nothing in it blocks, so that the client's thread may call it.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // Adds to `request` what lets it in, such as an Authorization. Everything else in it is final.
  // Called anew for each attempt, before the pause in front of it. Credentials are given to the
  // scheme, host and port that they are for, and to no other. Returns what tells these credentials
  // from others, for renew(); empty: none were added.
  [[nodiscard]] virtual std::string sign(Request& request) = 0;
  // `answer`, a 401, refuses `request`, for which sign() has returned `used`. Gets something
  // better, once for all that ask at the same time, then calls `done` on the client's thread:
  // success means to try again. That is at once when sign() uses something else by now.
  virtual void renew(const Request& request, const Answer& answer, const std::string& used,
                     std::function<void(Result<void>)> done) = 0;
};

}  // namespace shunt::blob
