#include "shunt/source/session.h"

#include <utility>

#include "shunt/base/log.h"

namespace shunt::source {

std::shared_ptr<cache::Cache> Session::cache() {
  const Lock lock(mutex_);
  if (cache_tried_ || !options_.use_cache) return cache_;
  cache_tried_ = true;
  Result<std::string> directory = options_.cache_dir;
  if (directory->empty()) directory = cache::default_directory();
  Result<std::shared_ptr<cache::Cache>> opened =
      directory ? cache::Cache::open(*directory, options_.cache_size, options_.cancel)
                : Result<std::shared_ptr<cache::Cache>>(directory.error());
  if (opened) {
    cache_ = std::move(*opened);
  } else {
    log::warn("continuing without a cache: {}", opened.error().describe());
  }
  return cache_;
}

Result<Opened> Session::open(const std::string& name, const std::string& part,
                             IfUnsized if_unsized) {
  SHUNT_ASSIGN(const Scheme* const scheme, schemes_->find(name, part));
  SHUNT_ASSIGN(Opened opened, scheme->open(*this, name, part));
  if (opened.unsized == nullptr || if_unsized == IfUnsized::kLeave) return opened;
  const UnsizedRead read = spool_unsized(*opened.unsized, opened.source);
  SHUNT_TRY(read.outcome);
  opened.opening = opened.opening + read.traffic;
  opened.unsized = nullptr;
  return opened;
}

Result<std::vector<std::string>> Session::parts(const std::string& name) {
  SHUNT_ASSIGN(const Scheme* const scheme, schemes_->find(name));
  return scheme->parts(*this, name);
}

}  // namespace shunt::source
