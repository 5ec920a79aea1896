#include "shunt/nbd/server.h"

#include <utility>

#include "shunt/nbd/loop.h"

namespace shunt::nbd {

Server::Server(Export& target, std::vector<io::Fd> listeners, ServerOptions options)
    : loop_(std::make_unique<Loop>(target, std::move(listeners), std::move(options))) {}

Server::~Server() = default;

Result<void> Server::prepare() {
  return loop_->prepare();
}

Result<void> Server::run(const CancelToken& cancel) {
  return loop_->run(cancel);
}

void Server::wake() {
  loop_->wake();
}

void Server::stop() {
  loop_->stop();
}

}  // namespace shunt::nbd
