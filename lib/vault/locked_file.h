// A small file that processes and threads take in turns, for moments.
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

// The file is made when it is first locked, and never removed by us. Should somebody remove it, the
// next lock is taken on a new one.
//
// Thread-safe: threads of this process take turns, and whose turn it is owns the file, and asks the
// other processes for it. The mutex guards only whether it is somebody's turn, and is held by
// nobody who waits for another process.
class LockedFile {
 public:
  // `cancel`, which may be null, is asked while lock() waits.
  explicit LockedFile(std::string path, const CancelToken* cancel = nullptr)
      : path_(std::move(path)), cancel_(cancel) {}

  // Holds the lock as long as it lives.
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
    LockedFile* owner_;    // whose turn this is; null: given away
    bool locked_ = false;  // against other processes too
  };

  // kBusy when others have had it for all of `limit`, and kInterrupted once a stop was asked for:
  // waiting for a process that was stopped must end. Where the file system has no locks, only
  // threads of this process are kept apart.
  [[nodiscard]] Result<Guard> lock(std::chrono::milliseconds limit) SHUNT_EXCLUDES(mutex_);

 private:
  [[nodiscard]] Result<void> open();
  [[nodiscard]] bool take_turn(std::chrono::steady_clock::time_point deadline)
      SHUNT_EXCLUDES(mutex_);
  void end_turn() SHUNT_EXCLUDES(mutex_);

  std::string path_;
  const CancelToken* cancel_;
  // Not a std::timed_mutex: what it waits with is unknown to the ThreadSanitizer of GCC 12.
  Mutex mutex_;
  ConditionVariable turn_ended_;
  bool taken_ SHUNT_GUARDED_BY(mutex_) = false;
  // What follows belongs to whose turn it is.
  io::File file_;
  pid_t opened_by_ = 0;
};

}  // namespace shunt::vault
