#include "shunt/http/curl_library.h"

#include "shunt/base/shared_library.h"

namespace shunt::http {

namespace {

void find_all(SharedLibrary& file, CurlLibrary& library) {
  file.find(library.global_init, "curl_global_init");
  file.find(library.free, "curl_free");
  file.find(library.slist_append, "curl_slist_append");
  file.find(library.slist_free_all, "curl_slist_free_all");
  file.find(library.easy_init, "curl_easy_init");
  file.find(library.easy_cleanup, "curl_easy_cleanup");
  file.find(library.easy_reset, "curl_easy_reset");
  file.find(library.easy_setopt, "curl_easy_setopt");
  file.find(library.easy_getinfo, "curl_easy_getinfo");
  file.find(library.easy_pause, "curl_easy_pause");
  file.find(library.easy_strerror, "curl_easy_strerror");
  file.find(library.multi_init, "curl_multi_init");
  file.find(library.multi_cleanup, "curl_multi_cleanup");
  file.find(library.multi_setopt, "curl_multi_setopt");
  file.find(library.multi_add_handle, "curl_multi_add_handle");
  file.find(library.multi_remove_handle, "curl_multi_remove_handle");
  file.find(library.multi_perform, "curl_multi_perform");
  file.find(library.multi_poll, "curl_multi_poll");
  file.find(library.multi_wakeup, "curl_multi_wakeup");
  file.find(library.multi_info_read, "curl_multi_info_read");
  file.find(library.multi_strerror, "curl_multi_strerror");
  file.find(library.url, "curl_url");
  file.find(library.url_cleanup, "curl_url_cleanup");
  file.find(library.url_get, "curl_url_get");
  file.find(library.url_set, "curl_url_set");
}

Result<CurlLibrary> load() {
  SHUNT_ASSIGN(SharedLibrary file, SharedLibrary::load(SHUNT_CURL_SONAME, "libcurl4"));
  CurlLibrary library;
  find_all(file, library);
  SHUNT_TRY(file.found_all());
  const CURLcode code = library.global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) return file.error(library.easy_strerror(code));
  return library;
}

const Result<CurlLibrary>& loaded_once() {
  static const Result<CurlLibrary> loaded = load();
  return loaded;
}

}  // namespace

Result<void> load_curl() {
  SHUNT_TRY(loaded_once());
  return {};
}

const CurlLibrary& curl() {
  return loaded_once().value();
}

}  // namespace shunt::http
