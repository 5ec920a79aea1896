// The images of a session: each is resolved once, and its layers are opened.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/oci/image.h"
#include "shunt/source/oci/oci_scheme.h"
#include "shunt/source/opened.h"
#include "shunt/source/session.h"

namespace shunt::source {

// Thread-safe; one for each Session, which outlives it.
class Images {
 public:
  [[nodiscard]] static std::shared_ptr<Images> of(Session& session, const OciOptions& options);
  Images(Session& session, OciOptions options) : session_(session), options_(std::move(options)) {}

  // `layer` as in Session::open.
  Result<Opened> open_layer(const std::string& name, const std::string& layer);
  // As the manifest lists them.
  Result<std::vector<oci::Descriptor>> layers(const std::string& name);

 private:
  struct KnownImage {
    std::shared_ptr<oci::Image> image;
    blob::Traffic checking;  // what it has cost to see whether it is for the platform
  };
  Result<KnownImage> image(const std::string& name);
  Result<blob::Traffic> check_platform(const oci::Image& image);
  Result<Opened> open_config(const oci::Image& image);

  Session& session_;
  const OciOptions options_;
  Mutex mutex_;
  std::map<std::string, KnownImage> images_ SHUNT_GUARDED_BY(mutex_);
};

}  // namespace shunt::source
