#include "blob_server.h"

#include "support/fault_server.h"

namespace shunt::test {

BlobServer::BlobServer(std::uint64_t size) {
  BlobServerOptions options;
  options.size = size;
  server_ = std::make_unique<FaultServer>(options);
}

BlobServer::~BlobServer() = default;

std::string BlobServer::url() const {
  return server_->url();
}

}  // namespace shunt::test
