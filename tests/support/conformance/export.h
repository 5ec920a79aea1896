// What every nbd::Export has to do (nbd/export.h), called directly and by a connection of the
// server, as one function that the tests of each implementation call.
#pragma once

#include <functional>
#include <memory>

#include "shunt/nbd/export.h"

namespace shunt::test {

// A value. What the functions use must live as long as the check.
struct ExportUnderTest {
  using Open = std::function<std::shared_ptr<nbd::Export>()>;

  // A new disk of zeros, of 1 to 16 MiB, that may be written anywhere and read back.
  Open open;
  // One that offers nothing but reads; empty: there is none.
  Open open_read_only = {};
  // One of which nothing can be read before `bring` was called. Empty: its bytes are always there.
  struct Later {
    std::shared_ptr<nbd::Export> disk;
    std::function<void()> bring;
  };
  std::function<Later()> open_later = {};
};

// Has sections of Catch2: call it once in a TEST_CASE, with nothing behind it.
void check_export(const ExportUnderTest& tested);

}  // namespace shunt::test
