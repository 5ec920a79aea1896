#include "shunt/http/curl_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "shunt/base/catching.h"
#include "shunt/http/retry.h"
#include "shunt/http/url.h"

namespace shunt::http {

namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// Measured over loopback against nginx: 16 KiB, libcurl's default, takes twice the processor time;
// with 8 connections, 64 KiB takes twice that of 256 KiB. Larger buffers gain nothing.
constexpr long kBufferSize = 256 << 10;

// With a rate limit a transfer pauses in units of the buffer: use a twentieth of a second of the
// rate.
long buffer_size_for(std::uint64_t max_rate) {
  if (max_rate == 0) return kBufferSize;
  return static_cast<long>(std::clamp<std::uint64_t>(max_rate / 20, 1 << 10, kBufferSize));
}

bool breaks_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool append(HeaderList& list, const std::string& line) {
  curl_slist* const longer = curl().slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  list.release();  // NOLINT(bugprone-unused-return-value): `longer` owns it now
  list.reset(longer);
  return true;
}

// The operation in errors about certificates.
constexpr std::string_view kCheckCertificate = "check the certificate";

bool is_about_certificate(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR;
}

const char* hint_for(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return "name the authority that signed the server's certificate in SSL_CERT_FILE or "
             "CURL_CA_BUNDLE";
    case CURLE_COULDNT_RESOLVE_HOST:
      return "check the name of the host, and the connection to the network";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "check http_proxy, https_proxy and all_proxy";
    case CURLE_COULDNT_CONNECT:
      return "check host and port, and whether the server runs";
    case CURLE_SSL_CONNECT_ERROR:
      return "check whether the server speaks TLS on this port";
    default:
      return "";
  }
}

}  // namespace

Settings make_settings(const ClientOptions& options) {
  Settings settings;
  settings.options = options;
  settings.options.connections = std::max(1u, options.connections);
  settings.buffer_size = buffer_size_for(options.max_rate);
  settings.ca_file = environment("CURL_CA_BUNDLE");
  if (settings.ca_file.empty()) {
    settings.ca_file = environment("SSL_CERT_FILE");
    settings.ca_directory = environment("SSL_CERT_DIR");
  }
  return settings;
}

Result<void> set_common_options(CURL* easy, const Settings& settings) {
  bool complete = true;
  // libcurl copies texts. Options that this libcurl does not know are not essential.
  const auto set = [&](CURLoption option, auto value) {
    complete &= curl().easy_setopt(easy, option, value) != CURLE_OUT_OF_MEMORY;
  };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  // A paused HTTP/2 stream would go on to fill up to 32 MiB of libcurl's memory.
  set(CURLOPT_HTTP_VERSION,
      static_cast<long>(settings.options.max_rate == 0 ? CURL_HTTP_VERSION_2TLS
                                                       : CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PIPEWAIT, 0L);
  set(CURLOPT_BUFFERSIZE, settings.buffer_size);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, 30L);
  set(CURLOPT_TCP_KEEPINTVL, 15L);
  set(CURLOPT_USERAGENT, "shunt/" SHUNT_VERSION);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  // A slow name lookup must not delay a cancelled request.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(
          std::ceil(std::clamp(settings.options.connect_timeout, 0.001, 86'400.0) * 1000)));
  if (!settings.ca_file.empty()) {
    set(CURLOPT_CAINFO, settings.ca_file.c_str());
    set(CURLOPT_PROXY_CAINFO, settings.ca_file.c_str());
  }
  if (!settings.ca_directory.empty()) {
    set(CURLOPT_CAPATH, settings.ca_directory.c_str());
    set(CURLOPT_PROXY_CAPATH, settings.ca_directory.c_str());
  }
  if (!complete) return out_of_memory();
  return {};
}

Result<HeaderList> make_header_list(const Request& request) {
  HeaderList list;
  bool complete = true;
  for (const Field& field : request.fields) {
    if (field.name.empty() || breaks_line(field.name) || breaks_line(field.value) ||
        field.name.find_first_of(": \t") != std::string::npos) {
      return usage("a header field contains invalid characters").with_path(show_url(request.url));
    }
    // For libcurl, "Name:" means to leave the field out.
    complete &= append(list, field.value.empty() ? field.name + ";"
                                                 : fmt::format("{}: {}", field.name, field.value));
  }
  if (request.range) {
    complete &= append(
        list, fmt::format("Range: bytes={}-{}", request.range->begin, request.range->end - 1));
  }
  if (request.method == "POST") complete &= append(list, "Expect:");
  if (!complete) throw std::bad_alloc();
  return list;
}

Error curl_error(CURLcode code, const Request& request, const char* details) {
  Error error;
  // libcurl also says "Unsupported protocol" of an answer that is not HTTP.
  error.code = code == CURLE_URL_MALFORMAT || !parse_url(request.url) ? ErrorCode::kUsage
                                                                      : ErrorCode::kNetwork;
  error.path = show_url(request.url);
  error.operation = is_about_certificate(code) ? kCheckCertificate : request.method;
  // libcurl's details contain host and port, but never the whole URL.
  error.reason = details != nullptr && *details != '\0' ? details : curl().easy_strerror(code);
  error.hint = hint_for(code);
  while (!error.reason.empty() && (error.reason.back() == '.' || error.reason.back() == '\n')) {
    error.reason.pop_back();
  }
  return error;
}

Error socket_error(int number, const Request& request) {
  return system_error(number, show_url(request.url), "open a socket")
      .with_hint("allow more open files (ulimit -n), or make fewer connections at once (--jobs)");
}

bool is_want_of_sockets(int number) {
  return number == EMFILE || number == ENFILE;
}

bool is_lasting(const Error& error) {
  return error.operation == kCheckCertificate;
}

}  // namespace shunt::http
