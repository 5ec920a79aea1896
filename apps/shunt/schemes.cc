#include "schemes.h"

#include <utility>

#include "shunt/source/http/http_scheme.h"
#include "shunt/source/local/local_schemes.h"

namespace shunt::cli {

std::shared_ptr<const source::Schemes> make_schemes(source::OciOptions images) {
  auto table = std::make_shared<source::Schemes>();
  table->add(source::stdin_scheme());
  table->add(source::http_scheme());
  table->add(source::oci_scheme(std::move(images)));
  table->add(source::path_scheme());
  return table;
}

const source::Schemes& schemes() {
  static const std::shared_ptr<const source::Schemes> table = make_schemes();
  return *table;
}

}  // namespace shunt::cli
