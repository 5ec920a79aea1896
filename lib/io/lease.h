// File leases (fcntl(2), F_SETLEASE): keep other processes from opening a file for a moment.
//
// A lease is granted only if nobody has the file open in a conflicting mode. A process that then
// opens it in such a mode waits until the lease is released, at most 45 seconds. Used between a
// last look at a file and a step that would lose later changes.
#pragma once

#include <functional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

// One owner, one thread.
class Lease {
 public:
  // Asks for a lease, once per millisecond, at most `tries` times. With a `file` open for writing
  // nobody else can have the file open at all; with one open for reading only, nobody can have it
  // open for writing. `file` is not owned.
  explicit Lease(const File& file, int tries = 4);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  [[nodiscard]] bool held() const { return held_; }
  // True if another process has the file open; false if leases are not available on this file
  // system or for this user.
  [[nodiscard]] bool refused() const { return refused_; }
  // Returns true if somebody waits to open the file for writing, or the wait has expired.
  [[nodiscard]] bool writer_waits() const;

 private:
  const File& file_;
  bool held_ = false;
  bool refused_ = false;
};

// Returns kBusy if a process has `file` open for writing, found out by a refused lease; `file` is
// open for reading only. Returns success if leases are not available. Call it before opening the
// file for writing.
[[nodiscard]] Result<void> check_no_writer(const File& file);

// Calls `open`, which must not block (O_NONBLOCK), until it does not fail because of another
// process's lease. The holder has been asked to release it; shunt does so soon. Returns kBusy after
// five seconds, and kInterrupted once `cancel` (may be null) is requested. `path` is for messages.
[[nodiscard]] Result<File> open_past_lease(const std::string& path, const CancelToken* cancel,
                                           const std::function<Result<File>()>& open);

}  // namespace shunt::io
