#include "shunt/base/waiting.h"

#include <optional>

#include "support/catch.h"

namespace shunt {
namespace {

TEST_CASE("the wait that began last and goes on is told") {
  CHECK(waiting_for().empty());
  std::optional<Waiting> lock;
  lock.emplace("a lock");
  CHECK(waiting_for() == "a lock");
  {
    const Waiting retry("a server");
    CHECK(waiting_for() == "a server");
  }
  CHECK(waiting_for() == "a lock");
  lock.reset();
  CHECK(waiting_for().empty());
}

}  // namespace
}  // namespace shunt
