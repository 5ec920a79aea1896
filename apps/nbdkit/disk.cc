#include "disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "shunt/io/duplicate.h"
#include "shunt/sink/spill_file.h"
#include "shunt/text/size_text.h"

namespace shunt::nbdkit {
namespace {

// A request of 64 MiB need not be held at once.
constexpr std::size_t kPiece = std::size_t{256} << 10;

// A duplicate that is closed on exec: a command started by nbdkit would keep the pipe open.
Result<io::File> take_descriptor(int number) {
  const std::string name = fmt::format("fd={}", number);
  const int flags = ::fcntl(number, F_GETFL);
  if (flags < 0) return system_error(errno, name, "open for writing");
  if ((flags & O_ACCMODE) == O_RDONLY) return system_error(EBADF, name, "open for writing");
  SHUNT_ASSIGN(io::File own, io::duplicate(number, name, "open for writing"));
  if (number > STDERR_FILENO) (void)::close(number);
  return own;
}

Error failed(std::string reason) {
  Error error;
  error.reason = std::move(reason);
  return error;
}

Error is_ending(const char* what) {
  Error error = system_error(ESHUTDOWN, "", "");
  error.reason = fmt::format("nbdkit is ending, and {} still waits for the reader", what);
  return error;
}

}  // namespace

Result<std::unique_ptr<Disk>> Disk::open(const Settings& settings,
                                         std::function<bool()> is_to_end) {
  if (settings.names_spill) SHUNT_TRY(sink::SpillFile::try_folder(settings.disk.spill));
  std::unique_ptr<Disk> disk(new Disk(settings, std::move(is_to_end)));
  if (settings.descriptor) {
    SHUNT_ASSIGN(io::File file, take_descriptor(*settings.descriptor));
    disk->out_ = std::make_unique<files::Destination>(std::move(file));
  } else {
    SHUNT_ASSIGN(files::Destination out, files::Destination::open(settings.pipe, {}, disk->never_));
    disk->out_ = std::make_unique<files::Destination>(std::move(out));
  }
  return disk;
}

Result<void> Disk::start() {
  SHUNT_ASSIGN(sink_, sink::Sink::start(out_->file(), settings_.disk));
  return {};
}

Result<void> Disk::write(std::uint64_t offset, std::span<const std::byte> data) {
  note_change(data.size());
  SHUNT_TRY(sink_->may_write(ByteRange::of(offset, data.size())));
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), kPiece));
    SHUNT_TRY(wait_until_ready());
    SHUNT_TRY(sink_->write(offset, piece));
    offset += piece.size();
    data = data.subspan(piece.size());
  }
  return {};
}

// Called before the change, since a change that fails half way counts too.
void Disk::note_change(std::uint64_t bytes) {
  changed_ = true;
  unflushed_ += bytes;
}

Result<void> Disk::trim(ByteRange range) {
  note_change(range.size());
  return sink_->trim(range);
}

Result<void> Disk::wait_until_ready() {
  SHUNT_ASSIGN(const bool ready, sink_->wait_until_ready(is_to_end_));
  if (ready) return {};
  cut_off_ = is_ending("a client's write");
  return *cut_off_;
}

Result<void> Disk::flush() {
  SHUNT_ASSIGN(const bool sent, sink_->wait_until_sent(sink_->released(), is_to_end_));
  if (!sent) return is_ending("a flush");
  unflushed_ = 0;
  return {};
}

Result<void> Disk::zero(ByteRange range) {
  note_change(range.size());
  SHUNT_TRY(wait_until_ready());
  return sink_->zero(range);
}

// nbdkit does not report whether a client disconnected properly or was killed.
Result<void> Disk::judge() const {
  if (cut_off_) return *cut_off_;
  if (!changed_ && !settings_.allow_empty && settings_.disk.size > 0) {
    return failed("nothing was written to the disk; allow-empty=true permits that");
  }
  if (settings_.need_flush && unflushed_ > 0) {
    return failed(fmt::format("the last {} written were not flushed", format_size(unflushed_)));
  }
  return {};
}

Result<void> Disk::finish(const CancelToken& give_up) {
  SHUNT_TRY(judge());
  SHUNT_TRY(sink_->finish([&] { return give_up.requested(); }));
  SHUNT_TRY(out_->commit());
  if (!settings_.digest.empty()) SHUNT_TRY(write_digest(give_up));
  return {};
}

// In the format of sha256sum for standard input.
Result<void> Disk::write_digest(const CancelToken& give_up) const {
  const std::string digest = sink_->summary().digest;
  const std::string line = digest.substr(digest.find(':') + 1) + "  -\n";
  SHUNT_ASSIGN(files::Destination out,
               files::Destination::open(
                   settings_.digest, {.force = true, .content = files::Content::kText}, give_up));
  SHUNT_TRY(out.file().write_next(std::as_bytes(std::span(line))));
  return out.commit();
}

}  // namespace shunt::nbdkit
