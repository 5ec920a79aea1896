// Mutexes that clang's thread-safety analysis knows (-Wthread-safety): which data each one guards,
// and which functions are called with it held or not held. Elsewhere the annotations are nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SHUNT_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SHUNT_THREAD_ATTRIBUTE(x)
#endif

// Of data: read and written only while the mutex is held.
#define SHUNT_GUARDED_BY(mutex) SHUNT_THREAD_ATTRIBUTE(guarded_by(mutex))
// Of functions: called with the mutex held; called without it.
#define SHUNT_REQUIRES(...) SHUNT_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define SHUNT_EXCLUDES(...) SHUNT_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
// Of mutexes: taken before another one, where a thread takes both.
#define SHUNT_ACQUIRED_BEFORE(...) SHUNT_THREAD_ATTRIBUTE(acquired_before(__VA_ARGS__))
// Of functions whose locking the analysis cannot follow; a comment says why it is right.
#define SHUNT_NO_THREAD_SAFETY_ANALYSIS SHUNT_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace shunt {

class SHUNT_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() SHUNT_THREAD_ATTRIBUTE(acquire_capability()) { native_.lock(); }
  void unlock() SHUNT_THREAD_ATTRIBUTE(release_capability()) { native_.unlock(); }
  bool try_lock() SHUNT_THREAD_ATTRIBUTE(try_acquire_capability(true)) {
    return native_.try_lock();
  }

 private:
  friend class ConditionVariable;
  std::mutex native_;
};

// Holds a mutex for its own lifetime, but for the stretches between unlock() and lock().
class SHUNT_THREAD_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) SHUNT_THREAD_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() SHUNT_THREAD_ATTRIBUTE(release_capability()) {
    if (held_) mutex_.unlock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void unlock() SHUNT_THREAD_ATTRIBUTE(release_capability()) {
    mutex_.unlock();
    held_ = false;
  }
  void lock() SHUNT_THREAD_ATTRIBUTE(acquire_capability()) {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// As std::condition_variable. There is no wait with a predicate, whose body the analysis would take
// for code without the mutex: callers loop.
class ConditionVariable {
 public:
  void wait(Mutex& mutex) SHUNT_REQUIRES(mutex) {
    std::unique_lock held(mutex.native_, std::adopt_lock);
    native_.wait(held);
    held.release();
  }
  // False when the time is up.
  template <typename Rep, typename Period>
  bool wait_for(Mutex& mutex, std::chrono::duration<Rep, Period> time) SHUNT_REQUIRES(mutex) {
    return wait_until(mutex, std::chrono::steady_clock::now() + time);
  }
  template <typename Clock, typename Duration>
  bool wait_until(Mutex& mutex, std::chrono::time_point<Clock, Duration> end)
      SHUNT_REQUIRES(mutex) {
    std::unique_lock held(mutex.native_, std::adopt_lock);
    const bool in_time = native_.wait_until(held, end) == std::cv_status::no_timeout;
    held.release();
    return in_time;
  }
  void notify_one() noexcept { native_.notify_one(); }
  void notify_all() noexcept { native_.notify_all(); }

 private:
  std::condition_variable native_;
};

}  // namespace shunt
