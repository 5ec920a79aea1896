#include "shunt/base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <utility>

namespace shunt {

Result<SharedLibrary> SharedLibrary::load(const char* soname, const char* package) {
  SharedLibrary library(soname, package);
  library.handle_ = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (library.handle_ == nullptr) return library.error(::dlerror());
  return library;
}

void* SharedLibrary::symbol(const char* name) {
  if (missing_ != nullptr) return nullptr;
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) missing_ = name;
  return found;
}

Result<void> SharedLibrary::found_all() const {
  if (missing_ != nullptr) return error(fmt::format("{} has no {}", soname_, missing_));
  return {};
}

Error SharedLibrary::error(std::string reason) const {
  Error error;
  error.operation = fmt::format("load {}", soname_);
  error.reason = std::move(reason);
  error.hint = fmt::format("install the package that has {} (Debian: {})", soname_, package_);
  return error;
}

}  // namespace shunt
