// Signs requests: adds credentials, and renews them when a server refuses them.
#pragma once

#include <functional>
#include <string>

#include "shunt/base/result.h"
#include "shunt/blob/request.h"

namespace shunt::blob {

// Thread-safe and non-blocking, so that the client's thread can call it.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // Adds credentials, such as an Authorization field, to `request`, which is otherwise final.
  // Called for each attempt, before the pause that precedes it. Credentials go only to the origin
  // they are for. Returns a text that identifies these credentials, for renew(); empty: none were
  // added.
  [[nodiscard]] virtual std::string sign(Request& request) = 0;
  // Called when `answer`, a 401, refuses `request`, for which sign() returned `used`. Renews the
  // credentials, once for all concurrent callers, then calls `done` on the client's thread; success
  // means to try again. If sign() already uses other credentials, calls it at once.
  virtual void renew(const Request& request, const Answer& answer, const std::string& used,
                     std::function<void(Result<void>)> done) = 0;
};

}  // namespace shunt::blob
