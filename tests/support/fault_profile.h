// Random faults, for tests of whole programs: "reset=0.1,cut=0.05,503=0.02,seed=7".
#pragma once

#include <string>

#include "support/fault_server.h"

namespace shunt::test {

// Each word is a kind of fault and its probability per request; `seed` selects another run, `most`
// limits the number of faults. Kinds:
//   whole      200 to a range            start, end, total  Content-Range is wrong there
//   cut        the body ends early       reset              the connection is reset in the middle
//   close      no answer                 slow               64 KiB per second
//   corrupt    a bit is wrong            chunked            no Content-Length
//   unsized    200, no Content-Length
//   etag       another ETag              NNN                this status (503 and 429: Retry-After)
// Throws std::invalid_argument for anything else.
[[nodiscard]] FaultServer::Judge make_fault_profile(const std::string& spec);

}  // namespace shunt::test
