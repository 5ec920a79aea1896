#include "shunt/http/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>

namespace shunt::http {

namespace {

Error not_loaded(std::string reason) {
  Error error;
  error.operation = "load libcurl";
  error.reason = std::move(reason);
  error.hint = fmt::format("install the package that has {} (Debian: libcurl4)", SHUNT_CURL_SONAME);
  return error;
}

struct Loaded {
  CurlLibrary library;
  Result<void> outcome;
};

// Looks functions up until one is missing.
class Lookup {
 public:
  explicit Lookup(void* handle) : handle_(handle) {}

  template <typename Function>
  void operator()(Function& function, const char* name) {
    if (missing_ != nullptr) return;
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    if (function == nullptr) missing_ = name;
  }

  [[nodiscard]] const char* missing() const { return missing_; }

 private:
  void* handle_;
  const char* missing_ = nullptr;
};

const char* look_up_all(void* handle, CurlLibrary& library) {
  Lookup look_up(handle);
  look_up(library.global_init, "curl_global_init");
  look_up(library.free, "curl_free");
  look_up(library.slist_append, "curl_slist_append");
  look_up(library.slist_free_all, "curl_slist_free_all");
  look_up(library.easy_init, "curl_easy_init");
  look_up(library.easy_cleanup, "curl_easy_cleanup");
  look_up(library.easy_reset, "curl_easy_reset");
  look_up(library.easy_setopt, "curl_easy_setopt");
  look_up(library.easy_getinfo, "curl_easy_getinfo");
  look_up(library.easy_pause, "curl_easy_pause");
  look_up(library.easy_strerror, "curl_easy_strerror");
  look_up(library.multi_init, "curl_multi_init");
  look_up(library.multi_cleanup, "curl_multi_cleanup");
  look_up(library.multi_setopt, "curl_multi_setopt");
  look_up(library.multi_add_handle, "curl_multi_add_handle");
  look_up(library.multi_remove_handle, "curl_multi_remove_handle");
  look_up(library.multi_perform, "curl_multi_perform");
  look_up(library.multi_poll, "curl_multi_poll");
  look_up(library.multi_wakeup, "curl_multi_wakeup");
  look_up(library.multi_info_read, "curl_multi_info_read");
  look_up(library.multi_strerror, "curl_multi_strerror");
  look_up(library.url, "curl_url");
  look_up(library.url_cleanup, "curl_url_cleanup");
  look_up(library.url_get, "curl_url_get");
  look_up(library.url_set, "curl_url_set");
  return look_up.missing();
}

Loaded load() {
  Loaded loaded;
  void* const handle = dlopen(SHUNT_CURL_SONAME, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    loaded.outcome = not_loaded(dlerror());
    return loaded;
  }
  if (const char* missing = look_up_all(handle, loaded.library); missing != nullptr) {
    loaded.outcome = not_loaded(fmt::format("{} has no {}", SHUNT_CURL_SONAME, missing));
    return loaded;
  }
  const CURLcode code = loaded.library.global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) loaded.outcome = not_loaded(loaded.library.easy_strerror(code));
  return loaded;
}

const Loaded& loaded_once() {
  static const Loaded loaded = load();
  return loaded;
}

}  // namespace

Result<void> load_curl() {
  return loaded_once().outcome;
}

const CurlLibrary& curl() {
  return loaded_once().library;
}

}  // namespace shunt::http
