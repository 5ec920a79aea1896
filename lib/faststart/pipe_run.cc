// run_from_pipe: input that cannot be read twice.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/big_endian.h"
#include "faststart/faststart.h"
#include "faststart/run.h"
#include "io/spool.h"
#include "io/transfer.h"
#include "mp4/file_map.h"

namespace shunt::faststart {
namespace {

// Follows the top-level boxes of a stream as its bytes go by, to tell a stream that was cut off.
class BoxTracker {
 public:
  void feed(std::span<const std::byte> bytes) {
    while (!bytes.empty() && !done_) {
      if (left_ == 0) {
        const std::size_t taken = std::min(bytes.size(), needed_ - header_size_);
        std::copy_n(bytes.begin(), taken,
                    header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
        header_size_ += taken;
        bytes = bytes.subspan(taken);
        if (header_size_ == needed_) take_header();
      } else {
        const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
        left_ -= taken;
        bytes = bytes.subspan(taken);
      }
    }
  }
  // Bytes that the last box still lacks, when the stream has ended.
  [[nodiscard]] std::uint64_t missing() const { return done_ ? 0 : left_; }
  [[nodiscard]] std::string type() const { return type_.text(); }

 private:
  void take_header() {
    std::uint64_t size = load_be<std::uint32_t>(header_.data());
    type_ = mp4::BoxType(load_be<std::uint32_t>(header_.data() + 4));
    if (size == 1 && needed_ == 8) {
      needed_ = 16;
      return;
    }
    if (needed_ == 16) size = load_be<std::uint64_t>(header_.data() + 8);
    // A box to the end, or bytes that are no box: anything may follow.
    done_ = size < needed_ || !type_.plausible();
    left_ = done_ ? 0 : size - needed_;
    header_size_ = 0;
    needed_ = 8;
  }

  std::array<std::byte, 16> header_{};
  std::size_t header_size_ = 0;
  std::size_t needed_ = 8;
  std::uint64_t left_ = 0;
  mp4::BoxType type_;
  bool done_ = false;
};

class PipeRun {
 public:
  PipeRun(const io::File& in, io::File& out, const Options& options)
      : in_(in), out_(out), options_(options) {}

  Report report() {
    if (options_.strategy && *options_.strategy != Strategy::kCopy) {
      return Run(in_.path(), options_)
          .finish(usage("from standard input, the only strategy is copy"));
    }
    const Result<mp4::FrontBox> front = read_to_first();
    if (!front) return Run(in_.path(), options_).finish(front.error());
    if (*front == mp4::FrontBox::kMoov) {
      Run run(in_.path(), options_);
      return run.finish(pass_through(run));
    }
    // Everything else is planned like a file; that says so, too, when it is none.
    const Result<io::SourcePtr> source = spool_rest();
    if (!source) return Run(in_.path(), options_).finish(source.error());
    Report report = run_to_stream(*source, out_, options_);
    if (in_.counters() != nullptr) report.bytes_read += in_.counters()->bytes_read;
    return report;
  }

 private:
  // Keeps what comes before moov or the first media box, and that box's header.
  Result<mp4::FrontBox> read_to_first() {
    for (;;) {
      std::array<std::byte, 16> header{};
      SHUNT_ASSIGN(const std::size_t got, take(std::span(header).first(8)));
      if (got < 8) return mp4::FrontBox::kOther;
      std::uint64_t size = load_be<std::uint32_t>(header.data());
      const mp4::BoxType type(load_be<std::uint32_t>(header.data() + 4));
      if (!type.plausible()) {
        return corrupt("not an MP4 or QuickTime file", spool_.size() - 8);
      }
      const mp4::FrontBox kind = mp4::classify_front(type);
      if (kind != mp4::FrontBox::kOther || size == 0) return kind;
      std::uint64_t header_size = 8;
      if (size == 1) {
        SHUNT_ASSIGN(const std::size_t more, take(std::span(header).subspan(8)));
        if (more < 8) return mp4::FrontBox::kOther;
        size = load_be<std::uint64_t>(header.data() + 8);
        header_size = 16;
      }
      if (size < header_size) return corrupt("a box is smaller than its header", spool_.size());
      SHUNT_ASSIGN(const std::uint64_t copied, spool_bytes(size - header_size));
      if (copied < size - header_size) return mp4::FrontBox::kOther;
    }
  }

  Result<std::size_t> take(std::span<std::byte> into) {
    SHUNT_ASSIGN(const std::size_t got, in_.read_next(into));
    SHUNT_TRY(spool_.append(into.first(got)));
    return got;
  }

  // Returns how many of `size` bytes there were.
  Result<std::uint64_t> spool_bytes(std::uint64_t size) {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(size, 1 << 18));
    std::uint64_t done = 0;
    while (done < size) {
      if (options_.cancel != nullptr) SHUNT_TRY(options_.cancel->check());
      const auto part = std::span(buffer).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - done)));
      SHUNT_ASSIGN(const std::size_t got, take(part));
      done += got;
      if (got < part.size()) break;
    }
    return done;
  }

  Result<io::SourcePtr> spool_rest() {
    SHUNT_TRY(spool_bytes(UINT64_MAX));
    return spool_.finish(in_.path());
  }

  Result<void> pass_through(Run& run) {
    SHUNT_ASSIGN(const io::SourcePtr head, spool_.finish(in_.path()));
    BoxTracker tracker;
    std::uint64_t from_head = 0;
    std::uint64_t total = 0;
    const auto fill = [&](io::Block& block) -> Result<bool> {
      if (from_head < head->size()) {
        SHUNT_ASSIGN(const std::size_t got, head->read_at(from_head, block.data));
        from_head += got;
        block.data = block.data.first(got);
        return true;
      }
      SHUNT_ASSIGN(const std::size_t got, in_.read_some(block.data));
      block.data = block.data.first(got);
      return got > 0;
    };
    const auto drain = [&](const io::Block& block) -> Result<void> {
      tracker.feed(block.data);
      total += block.data.size();
      return options_.dry_run ? Result<void>() : out_.write_next(block.data);
    };
    io::TransferOptions transfer_options;
    transfer_options.cancel = options_.cancel;
    transfer_options.progress = options_.progress;
    transfer_options.buffer_size = kPassBuffer;
    SHUNT_TRY(io::transfer(fill, drain, transfer_options));
    Report& report = run.report();
    report.status = Status::kAlready;
    report.size_before = report.size_after = total;
    run.counters().bytes_read = total;
    run.counters().bytes_written = options_.dry_run ? 0 : total;
    if (tracker.missing() == 0) return {};
    return corrupt(fmt::format("the input ends {} bytes before the end of box '{}'",
                               tracker.missing(), tracker.type()),
                   total);
  }

  // Small, so that bytes go on soon after they came.
  static constexpr std::size_t kPassBuffer = 256 * 1024;

  const io::File& in_;
  io::File& out_;
  const Options& options_;
  io::Spool spool_;
};

}  // namespace

Report run_from_pipe(const io::File& in, io::File& out, const Options& options) {
  return PipeRun(in, out, options).report();
}

Result<io::SourcePtr> spool(const io::File& in, const CancelToken* cancel) {
  io::Spool spool;
  std::vector<std::byte> buffer(1 << 18);
  for (;;) {
    if (cancel != nullptr) SHUNT_TRY(cancel->check());
    SHUNT_ASSIGN(const std::size_t got, in.read_next(buffer));
    if (got == 0) return spool.finish(in.path());
    SHUNT_TRY(spool.append(std::span(buffer).first(got)));
  }
}

}  // namespace shunt::faststart
