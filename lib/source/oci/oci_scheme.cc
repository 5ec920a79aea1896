#include "shunt/source/oci/oci_scheme.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "shunt/source/oci/images.h"

namespace shunt::source {
namespace {

constexpr std::string_view kRegistry = "docker://";
constexpr std::string_view kLayout = "oci:";

class OciScheme final : public Scheme {
 public:
  explicit OciScheme(OciOptions options) : options_(std::move(options)) {}

  bool claims(std::string_view name) const override {
    return name.starts_with(kRegistry) || name.starts_with(kLayout);
  }
  bool uses_cache() const override { return true; }
  std::vector<std::string_view> prefixes() const override { return {kRegistry, kLayout}; }
  std::string shown(std::string_view name) const override {
    return oci::show_image_reference(name);
  }
  bool has_parts() const override { return true; }

  Result<Opened> open(Session& session, const std::string& name,
                      const std::string& part) const override {
    return Images::of(session, options_)->open_layer(name, part);
  }
  Result<std::vector<std::string>> parts(Session& session, const std::string& name) const override {
    SHUNT_ASSIGN(const auto layers, Images::of(session, options_)->layers(name));
    std::vector<std::string> numbers;
    for (std::size_t i = 0; i < layers.size(); ++i) numbers.push_back(std::to_string(i));
    return numbers;
  }

 private:
  const OciOptions options_;
};

}  // namespace

std::unique_ptr<const Scheme> oci_scheme(OciOptions options) {
  return std::make_unique<OciScheme>(std::move(options));
}

}  // namespace shunt::source
