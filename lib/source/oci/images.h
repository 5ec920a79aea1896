// The images of a session. Each is resolved once.
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

// Thread-safe; one per Session, which outlives it.
class Images {
 public:
  [[nodiscard]] static std::shared_ptr<Images> of(Session& session, const OciOptions& options);
  Images(Session& session, OciOptions options) : session_(session), options_(std::move(options)) {}

  // `layer` as in Session::open.
  Result<Opened> open_layer(const std::string& name, const std::string& layer);
  // Returns the layers in manifest order.
  Result<std::vector<oci::Descriptor>> layers(const std::string& name);

 private:
  struct KnownImage {
    std::shared_ptr<oci::Image> image;
    blob::Traffic checking;  // cost of checking its platform
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
