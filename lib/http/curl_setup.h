// What all requests of a client have in common, as options of libcurl, and its errors as ours.
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

// What the environment says, read once when the client starts.
struct Settings {
  ClientOptions options;
  long buffer_size = 0;
  std::string ca_file;
  std::string ca_directory;
};
[[nodiscard]] Settings make_settings(const ClientOptions& options);

// Everything but URL, fields, method and callbacks.
[[nodiscard]] Result<void> set_common_options(CURL* easy, const Settings& settings);

// The fields of `request` with its Range. kUsage where one would break out of its line.
[[nodiscard]] Result<HeaderList> make_header_list(const Request& request);

// kNetwork with the URL, what went wrong, and what to do about it; kUsage for what is no URL.
[[nodiscard]] Error curl_error(CURLcode code, const Request& request, const char* details);

// kLocalIo for a socket that could not be had, with `number` for the errno.
[[nodiscard]] Error socket_error(int number, const Request& request);

}  // namespace shunt::http
