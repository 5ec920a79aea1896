// The kinds of Sources that tests open by name.
#pragma once

#include <memory>

#include "shunt/source/http/http_scheme.h"
#include "shunt/source/local/local_schemes.h"
#include "shunt/source/oci/oci_scheme.h"
#include "shunt/source/schemes.h"

namespace shunt::test {

inline std::shared_ptr<const source::Schemes> schemes(source::OciOptions images = {}) {
  auto table = std::make_shared<source::Schemes>();
  table->add(source::stdin_scheme());
  table->add(source::http_scheme());
  table->add(source::oci_scheme(std::move(images)));
  table->add(source::path_scheme());
  return table;
}

}  // namespace shunt::test
