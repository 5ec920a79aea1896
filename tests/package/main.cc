// Puts moov in front of the media, says how it was done, and has the packets compared.
#include <cstdio>

#include "shunt/cache/cache.h"
#include "shunt/faststart/faststart.h"
#include "shunt/fetch/fetch.h"
#include "shunt/media/module_loader.h"
#include "shunt/serve/session.h"
#include "shunt/source/http/http_scheme.h"
#include "shunt/source/local/local_schemes.h"
#include "shunt/source/schemes.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  shunt::media::look_in(MODULE_DIR);
  shunt::faststart::Options options;
  options.verify = true;
  const shunt::faststart::Report report = shunt::faststart::run_in_place(argv[1], options);
  if (report.error) {
    std::fprintf(stderr, "%s\n", report.error->describe().c_str());
    return 1;
  }
  // What libcurl is loaded for, and what is not.
  shunt::source::Schemes schemes;
  schemes.add(shunt::source::http_scheme());
  schemes.add(shunt::source::path_scheme());
  if (!schemes.find("https://example.com/")) return 1;
  std::printf("%s %s\n", std::string(name_of(report.status)).c_str(),
              report.verified.value_or(false) ? "verified" : "not verified");
  return 0;
}
