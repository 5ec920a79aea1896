// Mutexes annotated for clang's thread-safety analysis (-Wthread-safety): which data each one
// guards, and which functions need it held. For other compilers the annotations expand to nothing.
//
// Which may be taken while another is held: docs/architecture.md, "Threads and locks".
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#if defined(__clang__)
#define SHUNT_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SHUNT_THREAD_ATTRIBUTE(x)
#endif

// On data: accessed only while the mutex is held.
#define SHUNT_GUARDED_BY(mutex) SHUNT_THREAD_ATTRIBUTE(guarded_by(mutex))
// On functions: called only while the mutex is held. In a lambda it goes between () and the body.
#define SHUNT_REQUIRES(...) SHUNT_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
// On functions: called only while the mutex is not held, since they take it.
#define SHUNT_EXCLUDES(...) SHUNT_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
// On functions that take or release the mutex, and on classes that hold it for their lifetime.
#define SHUNT_ACQUIRE(...) SHUNT_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define SHUNT_RELEASE(...) SHUNT_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define SHUNT_SCOPED_LOCK SHUNT_THREAD_ATTRIBUTE(scoped_lockable)

namespace shunt {

class SHUNT_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() SHUNT_ACQUIRE() { native_.lock(); }
  void unlock() SHUNT_RELEASE() { native_.unlock(); }

 private:
  friend class ConditionVariable;
  std::mutex native_;
};

// Holds a mutex for its lifetime.
class SHUNT_SCOPED_LOCK Lock {
 public:
  explicit Lock(Mutex& mutex) SHUNT_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() SHUNT_RELEASE() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

// Releases a mutex that is held for its lifetime, and takes it again, also after an exception.
class SHUNT_SCOPED_LOCK Unlocked {
 public:
  explicit Unlocked(Mutex& mutex) SHUNT_RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
  ~Unlocked() SHUNT_RELEASE() { mutex_.lock(); }  // RELEASE: reverses the constructor
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with a mutex that is held before and after, and released meanwhile. `is_so()` is called
// with it held: a lambda that reads guarded data is annotated with SHUNT_REQUIRES.
class ConditionVariable {
 public:
  void notify_one() noexcept { native_.notify_one(); }
  void notify_all() noexcept { native_.notify_all(); }

  template <typename IsSo>
  void wait(Mutex& mutex, IsSo is_so) SHUNT_REQUIRES(mutex) {
    Held held(mutex);
    native_.wait(held.lock, std::move(is_so));
  }
  // Returns the last result of `is_so()`; false: the time is over.
  template <typename Rep, typename Period, typename IsSo>
  bool wait_for(Mutex& mutex, const std::chrono::duration<Rep, Period>& limit, IsSo is_so)
      SHUNT_REQUIRES(mutex) {
    Held held(mutex);
    return native_.wait_for(held.lock, limit, std::move(is_so));
  }
  template <typename Clock, typename Duration, typename IsSo>
  bool wait_until(Mutex& mutex, const std::chrono::time_point<Clock, Duration>& deadline,
                  IsSo is_so) SHUNT_REQUIRES(mutex) {
    Held held(mutex);
    return native_.wait_until(held.lock, deadline, std::move(is_so));
  }
  // Waits until something may have changed. Returns false if the time is over.
  template <typename Rep, typename Period>
  bool wait_for(Mutex& mutex, const std::chrono::duration<Rep, Period>& limit)
      SHUNT_REQUIRES(mutex) {
    Held held(mutex);
    return native_.wait_for(held.lock, limit) == std::cv_status::no_timeout;
  }

 private:
  // Adapts a mutex that the caller holds, and continues to hold, to the waits of the standard.
  struct Held {
    explicit Held(Mutex& mutex) : lock(mutex.native_, std::adopt_lock) {}
    ~Held() { lock.release(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    std::unique_lock<std::mutex> lock;
  };

  std::condition_variable native_;
};

}  // namespace shunt
