// A server of one blob, apart from the rest: its faults have the name of those of the kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace shunt::test {

class FaultServer;

class BlobServer {
 public:
  explicit BlobServer(std::uint64_t size);
  ~BlobServer();
  BlobServer(const BlobServer&) = delete;
  BlobServer& operator=(const BlobServer&) = delete;

  [[nodiscard]] std::string url() const;

 private:
  std::unique_ptr<FaultServer> server_;
};

}  // namespace shunt::test
