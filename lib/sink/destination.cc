#include "sink/destination.h"

#include <sys/stat.h>

#include <cerrno>

#include "io/output_name.h"
#include "io/path.h"

namespace shunt::sink {

Destination::OwnFifo::~OwnFifo() {
  if (!path_.empty()) (void)io::remove_if_there(path_);
}

Destination::~Destination() = default;

Result<Destination> Destination::open(const std::string& path, const DestinationOptions& options,
                                      const CancelToken& cancel) {
  OwnFifo fifo;
  if (options.mkfifo) {
    if (::mkfifo(path.c_str(), 0600) != 0) return system_error(errno, path, "create a FIFO");
    fifo = OwnFifo(path);
  }
  if (io::names_stream(path)) {
    SHUNT_ASSIGN(io::File stream, io::File::open_to_write_stream(path, nullptr, &cancel));
    return Destination(std::move(stream), std::move(fifo));
  }
  const io::IfThere if_there = options.force ? io::IfThere::kReplace : io::IfThere::kFail;
  SHUNT_ASSIGN(const std::string name, io::name_for_new_file(path, if_there));
  SHUNT_ASSIGN(io::NewFile file, io::NewFile::create(name));
  SHUNT_TRY(file.inherit());
  return Destination(std::move(file), if_there);
}

Result<void> Destination::commit() {
  if (!new_file_) return stream_.close();
  return new_file_->commit(if_there_);
}

}  // namespace shunt::sink
