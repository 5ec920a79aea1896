// A small file that processes and threads lock in turn, for short times.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>

#include "shunt/base/cancel.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::vault {

// The file is created when it is first locked, and never removed by shunt. If somebody removes it,
// the next lock is taken on a new one.
//
// Thread-safe. Threads of this process take turns; the thread whose turn it is owns the file, and
// locks it against other processes. The mutex guards only whether a thread has the turn, and is not
// held while waiting for another process.
class LockedFile {
 public:
  // `cancel`, which may be null, ends the wait in lock(). It outlives the object.
  explicit LockedFile(std::string path, const CancelToken* cancel = nullptr)
      : path_(std::move(path)), cancel_(cancel) {}

  // Holds the lock during its lifetime.
  class Guard {
   public:
    Guard(Guard&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), locked_(other.locked_) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard();
    [[nodiscard]] io::File& file() { return owner_->file_; }

   private:
    friend class LockedFile;
    explicit Guard(LockedFile& owner) : owner_(&owner) {}
    LockedFile* owner_;    // null once moved from
    bool locked_ = false;  // also locked against other processes
  };

  // Takes the lock. Returns kBusy if others held it for all of `limit`, and kInterrupted on a
  // request to stop: the holder may have been suspended. On a file system without locks, excludes
  // only threads of this process.
  [[nodiscard]] Result<Guard> lock(std::chrono::milliseconds limit) SHUNT_EXCLUDES(mutex_);

 private:
  [[nodiscard]] Result<void> open();
  [[nodiscard]] bool take_turn(std::chrono::steady_clock::time_point deadline)
      SHUNT_EXCLUDES(mutex_);
  void end_turn() SHUNT_EXCLUDES(mutex_);

  std::string path_;
  const CancelToken* cancel_;
  // Not a std::timed_mutex: the ThreadSanitizer of GCC 12 does not know how it waits.
  Mutex mutex_;
  ConditionVariable turn_ended_;
  bool taken_ SHUNT_GUARDED_BY(mutex_) = false;
  // The members below belong to the thread whose turn it is.
  io::File file_;
  pid_t opened_by_ = 0;
};

}  // namespace shunt::vault
