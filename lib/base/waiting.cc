#include "shunt/base/waiting.h"

#include <mutex>
#include <utility>

namespace shunt {
namespace {

struct Waits {
  std::mutex mutex;
  std::list<std::string> all;
};

// Never destroyed: threads may still wait while the program ends.
Waits& waits() {
  static Waits& only = *new Waits;
  return only;
}

}  // namespace

Waiting::Waiting(std::string what) {
  Waits& now = waits();
  const std::lock_guard lock(now.mutex);
  at_ = now.all.insert(now.all.end(), std::move(what));
}

Waiting::~Waiting() {
  Waits& now = waits();
  const std::lock_guard lock(now.mutex);
  now.all.erase(at_);
}

std::string waiting_for() {
  Waits& now = waits();
  const std::lock_guard lock(now.mutex);
  return now.all.empty() ? std::string() : now.all.back();
}

}  // namespace shunt
