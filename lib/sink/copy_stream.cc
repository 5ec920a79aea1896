#include "shunt/sink/copy_stream.h"

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "shunt/io/fd.h"
#include "shunt/io/kernel.h"
#include "shunt/io/sha256.h"
#include "shunt/sink/held_blocks.h"
#include "shunt/streams/transfer.h"

namespace shunt::sink {
namespace {

constexpr std::size_t kSplice = std::size_t{1} << 20;
constexpr std::size_t kHole = std::size_t{64} << 10;

bool is_pipe(const io::File& file) {
  const Result<struct stat> status = file.status();
  return status && S_ISFIFO(status->st_mode);
}

class Copying {
 public:
  Copying(const io::File& in, io::File& out, const CopyOptions& options)
      : in_(in), out_(out), options_(options), writer_(out, options.zeros, options.context.cancel) {
    if (options.digest) sha256_.emplace();
  }

  Copied run() {
    if (const Result<void> done = copy(); !done) {
      copied_.error = done.error();
    } else if (sha256_) {
      copied_.digest = "sha256:" + sha256_->hex();
    }
    return copied_;
  }

 private:
  Result<void> copy() {
    bool all = false;
    if (!sha256_ && options_.zeros == streams::Zeros::kWritten && (is_pipe(in_) || is_pipe(out_))) {
      SHUNT_ASSIGN(all, splice_all());
    }
    if (!all) SHUNT_TRY(transfer_all());
    return writer_.finish();
  }

  Result<void> wait_for(const io::File& file, short event) const {
    return io::wait_until_ready(file.fd(), event, options_.context.cancel);
  }

  void note(std::uint64_t bytes) {
    copied_.bytes += bytes;
    options_.context.advance(bytes);
  }

  // Returns false if the kernel cannot do it here; what was copied so far counts.
  Result<bool> splice_all() {
    io::enlarge_pipe(in_.fd());
    while (true) {
      SHUNT_TRY(wait_for(in_, POLLIN));
      SHUNT_TRY(wait_for(out_, POLLOUT));
      const ssize_t moved = io::kernel().splice(in_.fd(), nullptr, out_.fd(), kSplice);
      if (moved == 0) return true;
      if (moved > 0) {
        note(static_cast<std::uint64_t>(moved));
      } else if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EBADF) {
        return false;
      } else if (errno != EINTR && errno != EAGAIN) {
        return system_error(errno, out_.path(), "write");
      }
    }
  }

  Result<bool> fill(streams::Block& block) const {
    SHUNT_TRY(wait_for(in_, POLLIN));
    SHUNT_ASSIGN(const std::size_t got, in_.read_some(block.data));
    block.data = block.data.first(got);
    return got > 0;
  }

  Result<void> drain(std::span<const std::byte> data) {
    if (sha256_) sha256_->update(data);
    note(data.size());
    while (!data.empty()) {
      const auto part = options_.zeros == streams::Zeros::kHoles
                            ? data.first(std::min(data.size(), kHole))
                            : data;
      if (options_.zeros == streams::Zeros::kHoles && is_zeros(part)) {
        copied_.zero_bytes += part.size();
        SHUNT_TRY(writer_.write_zeros(part.size()));
      } else {
        SHUNT_TRY(writer_.write(std::span(&part, 1)));
      }
      data = data.subspan(part.size());
    }
    return {};
  }

  Result<void> transfer_all() {
    return streams::transfer(
        [this](streams::Block& block) { return fill(block); },
        [this](const streams::Block& block) { return drain(block.data); },
        {.buffer_size = kSplice, .context = options_.context.telling_nobody()});
  }

  const io::File& in_;
  io::File& out_;
  const CopyOptions& options_;
  streams::StreamWriter writer_;
  std::optional<io::Sha256> sha256_;
  Copied copied_;
};

}  // namespace

Copied copy_stream(const io::File& in, io::File& out, const CopyOptions& options) {
  if (options.context.progress != nullptr) {
    const Result<struct stat> status = in.status();
    options.context.begin("streaming", status && S_ISREG(status->st_mode)
                                           ? static_cast<std::uint64_t>(status->st_size)
                                           : 0);
  }
  return Copying(in, out, options).run();
}

}  // namespace shunt::sink
