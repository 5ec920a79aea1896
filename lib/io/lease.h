// Keeping others from opening a file for a moment (fcntl(2), F_SETLEASE).
//
// A lease is given only when nobody else has the file open in the way that it forbids, and whoever
// then opens it that way waits until it is given back, or until 45 seconds have passed. It is for
// the moment between a last look at a file and the step that would lose what came behind the look.
#pragma once

#include <functional>
#include <string>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::io {

class Lease {
 public:
  // Asks until it has it, once a millisecond and at most `tries` times. On a file that is open for
  // writing: as long as it is held nobody else has the file open at all. On one that is open for
  // reading only: nobody has it open for writing. `file` is not owned.
  explicit Lease(const File& file, int tries = 4);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  [[nodiscard]] bool held() const { return held_; }
  // Not held because somebody else has the file open, and not because there are no leases for this
  // file system or this user.
  [[nodiscard]] bool refused() const { return refused_; }
  // Whether somebody waits to open the file for writing, or has waited for too long.
  [[nodiscard]] bool writer_waits() const;

 private:
  const File& file_;
  bool held_ = false;
  bool refused_ = false;
};

// kBusy when a process has `file`, itself open for reading only, open for writing: a lease is
// refused then. Tells nothing, and is no error, where leases are not to be had. To be asked before
// the caller opens the file for writing itself.
[[nodiscard]] Result<void> check_no_writer(const File& file);

// Opens by `open`, which does not wait itself (O_NONBLOCK), again and again while that would break
// somebody's lease: they have been asked to give it back, and shunt itself does so soon. kBusy
// after five seconds, kInterrupted once `cancel`, which may be null, has been asked to stop. `path`
// is for messages.
[[nodiscard]] Result<File> open_past_lease(const std::string& path, const CancelToken* cancel,
                                           const std::function<Result<File>()>& open);

}  // namespace shunt::io
