// A Source in which some fields read otherwise is told apart from the one that it is made of.
#include "shunt/layout/patched_source.h"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"

namespace shunt::layout {
namespace {

class Named final : public io::Source {
 public:
  explicit Named(std::string identity) : identity_(std::move(identity)) {}

  [[nodiscard]] std::uint64_t size() const override { return 16; }
  [[nodiscard]] std::string name() const override { return "named"; }
  [[nodiscard]] Result<std::string> identity() const override { return identity_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>,
                                            io::Caching) const override {
    return std::size_t{0};
  }

 private:
  std::string identity_;
};

std::string patched(const std::string& identity) {
  const auto patches = std::make_shared<std::vector<FieldPatch>>();
  patches->push_back({.at = 4, .width = 4, .old_value = 1, .new_value = 2});
  return PatchedSource(std::make_shared<Named>(identity), patches).identity().value();
}

TEST_CASE("what is patched has not the identity of the original, and changes with it") {
  CHECK(patched("sha256:1") != "sha256:1");
  CHECK(patched("sha256:1") != patched("sha256:2"));
  CHECK(patched("sha256:1") == patched("sha256:1"));
  // Nobody else can change it.
  CHECK(patched("").empty());
}

}  // namespace
}  // namespace shunt::layout
