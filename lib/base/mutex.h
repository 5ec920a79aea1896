// Mutexes annotated for clang's thread-safety analysis (-Wthread-safety): which data each one
// guards, and which functions need it held. For other compilers the annotations expand to nothing.
#pragma once

#include <mutex>

#if defined(__clang__)
#define SHUNT_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SHUNT_THREAD_ATTRIBUTE(x)
#endif

// On data: accessed only while the mutex is held.
#define SHUNT_GUARDED_BY(mutex) SHUNT_THREAD_ATTRIBUTE(guarded_by(mutex))
// On functions: called only while the mutex is held.
#define SHUNT_REQUIRES(...) SHUNT_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

namespace shunt {

class SHUNT_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() SHUNT_THREAD_ATTRIBUTE(acquire_capability()) { native_.lock(); }
  void unlock() SHUNT_THREAD_ATTRIBUTE(release_capability()) { native_.unlock(); }

 private:
  std::mutex native_;
};

// Holds a mutex for its own lifetime.
class SHUNT_THREAD_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) SHUNT_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() SHUNT_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace shunt
