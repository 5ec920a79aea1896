// Sources with "http://" and "https://" URLs.
#pragma once

#include <memory>

#include "shunt/source/scheme.h"

namespace shunt::source {

[[nodiscard]] std::unique_ptr<const Scheme> http_scheme();

}  // namespace shunt::source
