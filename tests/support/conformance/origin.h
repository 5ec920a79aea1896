// What every blob::Origin has to do (blob/origin.h, blob/download.h), as one function that the
// tests of each implementation call.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "shunt/blob/origin.h"

namespace shunt::test {

// A value. What the functions use must live as long as the check. Each gives an Origin of its own
// whose blob has `bytes`.
struct OriginUnderTest {
  using Open = std::function<std::shared_ptr<blob::Origin>()>;

  Open open;
  std::vector<std::byte> bytes;  // at least 100,000
  Open open_whole = {};   // the server sends all, whatever it is asked for; empty: there is none
  Open open_broken = {};  // each download ends with a kNetwork error, after 1,000 bytes and more
  std::vector<Open> open_flaky = {};  // the first answer breaks off, and the next one does not
  Open open_changed = {};             // the server has another version by now
};

// Has sections of Catch2: call it once in a TEST_CASE, with nothing behind it.
void check_origin(const OriginUnderTest& tested);

}  // namespace shunt::test
