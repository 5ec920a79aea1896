#include "shunt/base/waiting.h"

#include <utility>

#include "shunt/base/mutex.h"

namespace shunt {
namespace {

struct Waits {
  Mutex mutex;
  std::list<std::string> all SHUNT_GUARDED_BY(mutex);
};

// Never destroyed: threads may still wait while the program exits.
Waits& waits() {
  static Waits& only = *new Waits;
  return only;
}

}  // namespace

Waiting::Waiting(std::string what) {
  Waits& now = waits();
  const Lock lock(now.mutex);
  at_ = now.all.insert(now.all.end(), std::move(what));
}

Waiting::~Waiting() {
  Waits& now = waits();
  const Lock lock(now.mutex);
  now.all.erase(at_);
}

std::string waiting_for() {
  Waits& now = waits();
  const Lock lock(now.mutex);
  return now.all.empty() ? std::string() : now.all.back();
}

}  // namespace shunt
