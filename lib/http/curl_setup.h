// Options of libcurl that all requests of a client share, and translation of its errors.
#pragma once

#include <memory>
#include <string>

#include "shunt/base/result.h"
#include "shunt/http/client.h"
#include "shunt/http/curl_library.h"

namespace shunt::http {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl().multi_cleanup(multi); }
};
using MultiHandle = std::unique_ptr<CURLM, MultiDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

// Options and environment, read once when the client starts.
struct Settings {
  ClientOptions options;
  long buffer_size = 0;
  std::string ca_file;
  std::string ca_directory;
};
[[nodiscard]] Settings make_settings(const ClientOptions& options);

// Sets everything except URL, fields, method and callbacks.
[[nodiscard]] Result<void> set_common_options(CURL* easy, const Settings& settings);

// Returns the fields of `request` including Range. Returns kUsage for a field that contains a line
// break.
[[nodiscard]] Result<HeaderList> make_header_list(const Request& request);

// Returns kNetwork with the URL, the cause and a hint; kUsage if it is not a URL.
[[nodiscard]] Error curl_error(CURLcode code, const Request& request, const char* details);

// Returns kLocalIo for a socket that could not be opened; `number` is the errno.
[[nodiscard]] Error socket_error(int number, const Request& request);

}  // namespace shunt::http
