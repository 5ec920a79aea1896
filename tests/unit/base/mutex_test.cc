#include "shunt/base/mutex.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "support/catch.h"

namespace shunt {
namespace {

// A value that two threads pass back and forth.
struct Place {
  Mutex mutex;
  ConditionVariable changed;
  int value SHUNT_GUARDED_BY(mutex) = 0;

  void become(int next) SHUNT_REQUIRES(mutex) {
    value = next;
    changed.notify_all();
  }
  void await(int awaited) SHUNT_REQUIRES(mutex) {
    changed.wait(mutex, [&]() SHUNT_REQUIRES(mutex) { return value == awaited; });
  }
};

TEST_CASE("a wait lets go of the mutex, and has it again when what it waits for is so", "[base]") {
  Place place;
  std::thread other([&] {
    const Lock lock(place.mutex);
    place.await(1);
    place.become(2);
  });
  {
    const Lock lock(place.mutex);
    place.become(1);
    place.await(2);
    CHECK(place.value == 2);
  }
  other.join();
}

TEST_CASE("a wait whose time is over says what was so last", "[base]") {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  Place place;
  const Lock lock(place.mutex);
  const auto is_set = [&]() SHUNT_REQUIRES(place.mutex) { return place.value != 0; };
  CHECK_FALSE(place.changed.wait_for(place.mutex, milliseconds(0), is_set));
  CHECK_FALSE(place.changed.wait_until(place.mutex, steady_clock::now(), is_set));
  place.value = 1;
  CHECK(place.changed.wait_for(place.mutex, milliseconds(0), is_set));
  CHECK(place.changed.wait_until(place.mutex, steady_clock::now(), is_set));
}

// Returns true if another thread can take it now.
bool is_free(Mutex& mutex) {
  bool taken = false;
  std::thread([&] {
    const Lock lock(mutex);
    taken = true;
  }).join();
  return taken;
}

TEST_CASE("a mutex is free within Unlocked, and once after an exception through it", "[base]") {
  Place place;
  bool was_free = false;
  const auto work = [&] {
    const Lock lock(place.mutex);
    const Unlocked meanwhile(place.mutex);
    was_free = is_free(place.mutex);
    throw std::runtime_error("no memory, say");
  };
  CHECK_THROWS_AS(work(), std::runtime_error);
  CHECK(was_free);
  CHECK(is_free(place.mutex));
}

TEST_CASE("a mutex is free after an exception from what a wait asks", "[base]") {
  Place place;
  const auto work = [&] {
    const Lock lock(place.mutex);
    place.changed.wait(place.mutex, []() -> bool { throw std::runtime_error("no memory, say"); });
  };
  CHECK_THROWS_AS(work(), std::runtime_error);
  CHECK(is_free(place.mutex));
}

}  // namespace
}  // namespace shunt
