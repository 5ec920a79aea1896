#include "shunt/files/destination.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "shunt/files/output_name.h"
#include "shunt/files/path.h"
#include "shunt/io/duplicate.h"
#include "shunt/io/kernel.h"

namespace shunt::files {
namespace {

constexpr const char* kOpen = "open for writing";

// Closed on exec: a child with a copy would keep the reader waiting.
Result<io::File> take_descriptor(int descriptor, const std::string& name) {
  const std::string shown = descriptor == STDOUT_FILENO ? "(standard output)" : name;
  if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
    return system_error(EBADF, shown, kOpen);
  }
  return io::duplicate(descriptor, shown, kOpen);
}

}  // namespace

Result<io::File> open_stream(const std::string& name, const CancelToken& cancel, Content content) {
  const std::optional<int> descriptor = output_descriptor(name);
  SHUNT_ASSIGN(io::File stream, descriptor ? take_descriptor(*descriptor, name)
                                           : io::File::open_to_write_stream(name, cancel));
  if (content == Content::kBinary && ::isatty(stream.fd()) == 1) {
    return usage("binary data is not written to a terminal; redirect it, or name a file");
  }
  stream.set_cancel(&cancel);
  return stream;
}

Destination::OwnFifo::~OwnFifo() {
  if (!path_.empty()) (void)remove_if_there(path_);
}

Destination::~Destination() = default;

Result<Destination> Destination::open(const std::string& name, const DestinationOptions& options,
                                      const CancelToken& cancel) {
  OwnFifo fifo;
  if (options.mkfifo) {
    if (io::kernel().mkfifo(name.c_str(), 0600) != 0) {
      return system_error(errno, name, "create a FIFO");
    }
    fifo = OwnFifo(name);
  }
  if (names_stream(name)) {
    SHUNT_ASSIGN(io::File stream, open_stream(name, cancel, options.content));
    return Destination(std::move(stream), std::move(fifo));
  }
  const IfThere if_there = options.force ? IfThere::kReplace : IfThere::kFail;
  SHUNT_ASSIGN(const std::string target, name_for_new_file(name, if_there));
  SHUNT_ASSIGN(NewFile file, NewFile::create(target));
  SHUNT_TRY(file.inherit());
  return Destination(std::move(file), if_there);
}

Result<void> Destination::commit() {
  if (!new_file_) return stream_.close();
  return new_file_->commit(if_there_);
}

}  // namespace shunt::files
