// A small file that processes and threads take in turns, for moments.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <string>

#include "base/result.h"
#include "io/file.h"

namespace shunt::vault {

// The file is made when it is first locked, and never removed by us. Should somebody remove it, the
// next lock is taken on a new one. Thread-safe.
class LockedFile {
 public:
  explicit LockedFile(std::string path) : path_(std::move(path)) {}

  // Holds the lock as long as it lives.
  class Guard {
   public:
    Guard(Guard&&) = default;
    Guard& operator=(Guard&&) = delete;
    ~Guard();
    [[nodiscard]] io::File& file() { return *file_; }

   private:
    friend class LockedFile;
    Guard(std::unique_lock<std::timed_mutex> threads, io::File& file)
        : threads_(std::move(threads)), file_(&file) {}
    std::unique_lock<std::timed_mutex> threads_;
    io::File* file_;  // not owned
  };

  // kBusy when others have had it for all of `patience`: waiting for a process that was stopped
  // must end. Where the file system has no locks, only threads of this process are kept apart.
  [[nodiscard]] Result<Guard> lock(std::chrono::milliseconds patience);

 private:
  [[nodiscard]] Result<void> open();

  std::string path_;
  std::timed_mutex threads_;
  io::File file_;
  pid_t opened_by_ = 0;
};

}  // namespace shunt::vault
