#include "shunt/files/replace.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/io/lease.h"

namespace shunt::files {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20;
// How many milliseconds a writer of the file gets to close it: before the rename, when nothing has
// happened yet, and after it, when its data would be lost.
constexpr int kPatienceBefore = 100;
constexpr int kPatienceBehind = 2000;

Error busy(const io::File& file, std::string_view reason) {
  Error error;
  error.code = ErrorCode::kBusy;
  error.path = file.path();
  error.operation = "replace";
  error.reason = reason;
  return error;
}

bool is_read_only(const io::File& file) {
  return (::fcntl(file.fd(), F_GETFL) & O_ACCMODE) == O_RDONLY;
}

// Replaces `file` by `other`, a descriptor of the same file, and locks it.
Result<void> go_on_with(io::File other, io::File& file) {
  // Locks of two descriptors exclude each other even in one process.
  unlock(file);
  SHUNT_TRY(lock_exclusive(other));
  file = std::move(other);
  return {};
}

// Keeps the file open for reading only: a lease against writers requires that, and that this
// process has no writable descriptor.
Result<void> give_up_writing(io::File& file) {
  if (is_read_only(file)) return {};
  Result<io::File> reading = file.reopen(O_RDONLY, "open");
  if (!reading) return {};  // no /proc: use an exclusive lease
  return go_on_with(std::move(*reading), file);
}

// Reopens the file for writing, for a caller that continues with it. Its errors have no errno, so
// that no other strategy is tried.
Result<void> take_up_writing(io::File& file) {
  const auto take_up = [&]() -> Result<void> {
    SHUNT_TRY(io::check_no_writer(file));
    SHUNT_ASSIGN(io::File writing, file.reopen(O_RDWR, "open for writing"));
    return go_on_with(std::move(writing), file);
  };
  Result<void> taken = take_up();
  if (!taken) taken.error().system_errno = 0;
  return taken;
}

// Copies what was appended to `old` after it had `size_then` bytes to the end of `file`.
Result<std::uint64_t> copy_tail(const io::File& old, std::uint64_t size_then, io::File& file) {
  std::vector<std::byte> buffer(kBuffer);
  std::uint64_t at = size_then;
  for (;;) {
    SHUNT_ASSIGN(const std::size_t got, old.read_at(at, buffer));
    if (got == 0) break;
    SHUNT_TRY(file.write_next(std::span(buffer).first(got)));
    at += got;
  }
  SHUNT_TRY(file.sync());
  return at - size_then;
}

bool same_content(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// Copies what was appended to `old` since its status `then` to the new file, which has the name and
// the status `created`.
Result<std::uint64_t> carry_over(const io::File& old, const struct stat& then,
                                 const Directory& directory, const std::string& name,
                                 const struct stat& created) {
  SHUNT_ASSIGN(const struct stat now, old.status());
  if (now.st_size > then.st_size) {
    SHUNT_ASSIGN(io::File file, directory.open(name, O_WRONLY | O_APPEND, "append to"));
    SHUNT_ASSIGN(const struct stat named, file.status());
    if (named.st_ino != created.st_ino || named.st_dev != created.st_dev) {
      return busy(old, "it has been replaced again by another program");
    }
    return copy_tail(old, static_cast<std::uint64_t>(then.st_size), file);
  }
  if (!same_content(then, now)) {
    return busy(old, "another program wrote into the file while it was being replaced")
        .with_hint("what was written is lost");
  }
  return std::uint64_t{0};
}

}  // namespace

Result<std::uint64_t> replace_file(NewFile& new_file, io::File& old,
                                   const std::function<Result<void>()>& look) {
  const bool could_write = !is_read_only(old);
  SHUNT_TRY(give_up_writing(old));
  SHUNT_ASSIGN(const struct stat created, new_file.file().status());
  const std::string name = file_name(old.path());
  const bool read_only = is_read_only(old);
  struct stat then {};
  std::optional<io::Lease> lease;
  const auto last_look = [&]() -> Result<void> {
    lease.emplace(old, kPatienceBefore);
    if (lease->refused() && read_only) {
      return busy(old, "another process has the file open for writing")
          .with_hint("it was left unchanged; try again when it has been closed");
    }
    SHUNT_TRY(look());
    // In the directory of the rename, whatever `look` has checked.
    if (!new_file.directory().leads_to(name, old)) {
      return busy(old, "it has been replaced by another program")
          .with_hint("it was left unchanged");
    }
    SHUNT_ASSIGN(then, old.status());
    return {};
  };
  const Result<void> committed = new_file.commit(IfThere::kReplace, last_look);
  if (!committed && !new_file.is_named()) {
    lease.reset();
    if (could_write && read_only) SHUNT_TRY(take_up_writing(old));
    return committed.error();
  }
  if (lease->held() && !lease->writer_waits()) {
    return committed ? Result<std::uint64_t>(std::uint64_t{0}) : committed.error();
  }
  // Somebody may have opened the old file; they are done when a lease can be taken again.
  lease.reset();
  const io::Lease again(old, kPatienceBehind);
  Result<std::uint64_t> carried = carry_over(old, then, new_file.directory(), name, created);
  if (carried && again.refused() && read_only) {
    carried = busy(old, "another program still writes to the file that was replaced")
                  .with_hint("what it writes from now on is lost");
  }
  if (committed) return carried;
  // The name is given, perhaps not durably: data written in the meantime matters anyway.
  Error error = committed.error();
  if (!carried) {
    error.reason += fmt::format("; and {}: {}", carried.error().operation, carried.error().reason);
    error.hint = carried.error().hint;
  } else if (*carried > 0) {
    error.reason +=
        fmt::format("; it includes {} bytes that another program has appended", *carried);
  }
  return error;
}

}  // namespace shunt::files
