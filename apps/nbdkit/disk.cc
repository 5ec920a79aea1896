#include "disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace shunt::nbdkit {
namespace {

// A request of 64 MiB need not be held at once.
constexpr std::size_t kPiece = std::size_t{256} << 10;

// A copy that a command started by nbdkit does not get: the pipe would stay open with it.
Result<io::File> take_descriptor(int number) {
  const std::string name = fmt::format("fd={}", number);
  const int flags = ::fcntl(number, F_GETFL);
  if (flags < 0) return system_error(errno, name, "open for writing");
  if ((flags & O_ACCMODE) == O_RDONLY) return system_error(EBADF, name, "open for writing");
  io::Fd own(::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!own.valid()) return system_error(errno, name, "open for writing");
  if (number > STDERR_FILENO) (void)::close(number);
  return io::File::adopt(std::move(own), name);
}

}  // namespace

Result<std::unique_ptr<Disk>> Disk::open(const Settings& settings) {
  std::unique_ptr<Disk> disk(new Disk(settings));
  if (settings.descriptor) {
    SHUNT_ASSIGN(io::File file, take_descriptor(*settings.descriptor));
    disk->out_ = std::make_unique<sink::Destination>(std::move(file));
  } else {
    SHUNT_ASSIGN(sink::Destination out, sink::Destination::open(settings.pipe, {}, disk->never_));
    disk->out_ = std::make_unique<sink::Destination>(std::move(out));
  }
  return disk;
}

Result<void> Disk::start() {
  SHUNT_ASSIGN(sink_, sink::Sink::start(out_->file(), settings_.disk));
  return {};
}

Result<void> Disk::write(std::uint64_t offset, std::span<const std::byte> data) {
  SHUNT_TRY(sink_->may_write(ByteRange::of(offset, data.size())));
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), kPiece));
    SHUNT_TRY(sink_->wait_until_ready());
    SHUNT_TRY(sink_->write(offset, piece));
    offset += piece.size();
    data = data.subspan(piece.size());
  }
  return {};
}

Result<void> Disk::zero(ByteRange range) {
  SHUNT_TRY(sink_->wait_until_ready());
  return sink_->zero(range);
}

Result<void> Disk::finish() {
  SHUNT_TRY(sink_->finish());
  SHUNT_TRY(out_->commit());
  if (!settings_.digest.empty()) SHUNT_TRY(write_digest());
  return {};
}

// As sha256sum has it of its standard input.
Result<void> Disk::write_digest() const {
  const std::string digest = sink_->summary().digest;
  const std::string line = digest.substr(digest.find(':') + 1) + "  -\n";
  SHUNT_ASSIGN(sink::Destination out,
               sink::Destination::open(settings_.digest, {.force = true}, never_));
  SHUNT_TRY(out.file().write_next(std::as_bytes(std::span(line))));
  return out.commit();
}

}  // namespace shunt::nbdkit
