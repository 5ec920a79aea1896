#include "source_name.h"

#include "fetch/session.h"
#include "remote/url.h"

namespace shunt::cli {

std::string shown_name(const std::string& source) {
  return fetch::kind_of(source) == fetch::SourceKind::kHttp ? remote::show_url(source) : source;
}

}  // namespace shunt::cli
