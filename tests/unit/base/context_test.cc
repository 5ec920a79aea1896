#include "shunt/base/context.h"

#include <string>

#include "support/catch.h"

namespace shunt {
namespace {

// Records what was reported, as text.
class Told final : public Progress {
 public:
  void begin(std::string_view what, std::uint64_t total) override {
    text += std::string(what) + " " + std::to_string(total) + ";";
  }
  void advance(std::uint64_t bytes) override { text += std::to_string(bytes) + ";"; }
  std::string text;
};

TEST_CASE("a context that nobody has filled neither stops nor tells", "[base]") {
  const Context context;
  CHECK(context.check());
  CHECK(context.requests() == 0);
  context.begin("reading", 8);
  context.advance(8);
}

TEST_CASE("a context stops once that is requested, whomever it tells", "[base]") {
  CancelToken cancel;
  Told told;
  const Context context{&cancel, &told};
  const Context silent = context.telling_nobody();
  CHECK(context.check());
  CHECK(silent.check());
  cancel.request(2);
  cancel.request(2);
  for (const Context& each : {context, silent}) {
    const Result<void> stopped = each.check();
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == ErrorCode::kInterrupted);
    CHECK(each.requests() == 2);
  }
}

TEST_CASE("a context tells whom it is to tell", "[base]") {
  Told told;
  Told other;
  const Context context{nullptr, &told};
  context.begin("reading", 8);
  context.advance(3);
  context.telling(&other).advance(4);
  context.telling_nobody().advance(1);
  CHECK(told.text == "reading 8;3;");
  CHECK(other.text == "4;");
}

}  // namespace
}  // namespace shunt
