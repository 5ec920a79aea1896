// run_from_pipe: input that can only be read once.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "shunt/base/big_endian.h"
#include "shunt/faststart/faststart.h"
#include "shunt/faststart/run.h"
#include "shunt/io/spool.h"
#include "shunt/mp4/file_map.h"
#include "shunt/mp4/media_place.h"
#include "shunt/streams/transfer.h"

namespace shunt::faststart {
namespace {

// Follows the top-level boxes of a stream as it passes, to detect a truncated one.
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
  // Returns how many bytes the last box lacks at the end of the stream.
  [[nodiscard]] std::uint64_t missing() const { return done_ || trailer_ ? 0 : left_; }
  [[nodiscard]] std::string type() const { return type_.text(); }

 private:
  void take_header() {
    std::uint64_t size = load_be<std::uint32_t>(header_.data());
    type_ = boxes::BoxType(load_be<std::uint32_t>(header_.data() + 4));
    if (size == 1 && needed_ == 8) {
      needed_ = 16;
      return;
    }
    if (needed_ == 16) size = load_be<std::uint64_t>(header_.data() + 8);
    // A box that extends to the end, or bytes that are no box: anything may follow. The same behind
    // a type that looks accidental, until the sizes lead to media again.
    trailer_ =
        (trailer_ || !type_.plausible()) && mp4::classify_front(type_) == mp4::FrontBox::kOther;
    done_ = size < needed_;
    left_ = done_ ? 0 : size - needed_;
    header_size_ = 0;
    needed_ = 8;
  }

  std::array<std::byte, 16> header_{};
  std::size_t header_size_ = 0;
  std::size_t needed_ = 8;
  std::uint64_t left_ = 0;
  boxes::BoxType type_;
  bool trailer_ = false;
  bool done_ = false;
};

class PipeRun {
 public:
  PipeRun(const io::File& in, io::File& out, const Options& options)
      : in_(in), out_(out), options_(options) {}

  Report report() {
    if (const Result<void> may = check_writes_in_order(options_); !may) {
      return Run(in_.path(), options_).finish(may);
    }
    Result<mp4::FrontBox> front = read_to_first();
    if (front && *front == mp4::FrontBox::kMoov && filled_in_front_) front = look_at_moov();
    if (!front) return Run(in_.path(), options_).finish(front.error());
    // Verification reads the input twice, and room behind moov is made in a file.
    const bool passes = *front == mp4::FrontBox::kMoov && options_.padding == 0 && !options_.verify;
    if (passes) {
      Run run(in_.path(), options_);
      return run.finish(pass_through(run));
    }
    // Anything else is planned like a file; that also reports input that is not an MP4.
    const Result<void> kept = spool_head_again();
    if (!kept) return Run(in_.path(), options_).finish(kept.error());
    const Result<io::SourcePtr> source = spool_rest();
    if (!source) return Run(in_.path(), options_).finish(source.error());
    if (*front == mp4::FrontBox::kMoov && tracker_.missing() > 0) {
      return Run(in_.path(), options_).finish(cut_off((*source)->size()));
    }
    Report report = run_to_stream(*source, out_, options_);
    if (in_.counters() != nullptr) report.bytes_read += in_.counters()->bytes_read;
    return report;
  }

 private:
  // Keeps everything up to moov or the first media box, and that box's header.
  Result<mp4::FrontBox> read_to_first() {
    for (;;) {
      const std::uint64_t begin = spool_.size();
      std::array<std::byte, 16> header{};
      SHUNT_ASSIGN(const std::size_t got, take(std::span(header).first(8)));
      if (got < 8) return mp4::FrontBox::kOther;
      std::uint64_t size = load_be<std::uint32_t>(header.data());
      const boxes::BoxType type(load_be<std::uint32_t>(header.data() + 4));
      if (spool_.size() == 8 && !type.plausible() && size >= kNoise) {
        return corrupt("not an MP4 or QuickTime file", 0);
      }
      const mp4::FrontBox kind = mp4::classify_front(type);
      moov_end_ = size > 1 ? begin + size : UINT64_MAX;
      if (kind == mp4::FrontBox::kMedia || (kind == mp4::FrontBox::kMoov && size != 1)) return kind;
      if (size == 0) return kind;
      std::uint64_t header_size = 8;
      if (size == 1) {
        SHUNT_ASSIGN(const std::size_t more, take(std::span(header).subspan(8)));
        if (more < 8) return mp4::FrontBox::kOther;
        size = load_be<std::uint64_t>(header.data() + 8);
        header_size = 16;
      }
      if (size < header_size) {
        return corrupt("a box is smaller than its header", spool_.size() - header_size);
      }
      moov_end_ = begin + std::min(size, UINT64_MAX - begin);
      if (kind == mp4::FrontBox::kMoov) return kind;
      filled_in_front_ = filled_in_front_ || (type != boxes::BoxType("ftyp") && size > header_size);
      SHUNT_ASSIGN(const std::uint64_t copied, spool_bytes(size - header_size));
      if (copied < size - header_size) return mp4::FrontBox::kOther;
    }
  }

  // Samples may lie in front of moov although no box type says so; only its tables do. Everything
  // up to the end of moov is kept to be read, and is sent first in either case.
  Result<mp4::FrontBox> look_at_moov() {
    SHUNT_TRY(spool_bytes(std::max(moov_end_, spool_.size()) - spool_.size()));
    SHUNT_ASSIGN(head_, spool_.finish(in_.path()));
    const Result<mp4::FileMap> map = mp4::locate_media(head_);
    const bool cut_off = !map && map.error().code == ErrorCode::kCorrupt;
    if (!map && !cut_off) return map.error();
    if (cut_off || map->moov_in_front) return mp4::FrontBox::kMoov;
    return mp4::FrontBox::kMedia;
  }

  // What was kept so far becomes the begin of the spooled input.
  Result<void> spool_head_again() {
    if (head_ == nullptr) return {};
    std::vector<std::byte> buffer(kPassBuffer);
    const auto append = [&](std::span<const std::byte> part) { return spool_.append(part); };
    SHUNT_TRY(io::read_in_pieces(*head_, {0, head_->size()}, buffer, append));
    head_.reset();
    return {};
  }

  Result<std::size_t> take(std::span<std::byte> into) {
    SHUNT_ASSIGN(const std::size_t got, in_.read_next(into));
    SHUNT_TRY(spool_.append(into.first(got)));
    tracker_.feed(into.first(got));
    return got;
  }

  // Returns how many of `size` bytes there were.
  Result<std::uint64_t> spool_bytes(std::uint64_t size) {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(size, 1 << 18));
    std::uint64_t done = 0;
    while (done < size) {
      SHUNT_TRY(options_.context.check());
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
    if (head_ == nullptr) {
      SHUNT_ASSIGN(head_, spool_.finish(in_.path()));
    }
    const io::SourcePtr& head = head_;
    std::uint64_t from_head = 0;
    std::uint64_t total = 0;
    const auto fill = [&](streams::Block& block) -> Result<bool> {
      if (from_head < head->size()) {
        SHUNT_ASSIGN(const std::size_t got, head->read_at(from_head, block.data));
        from_head += got;
        block.data = block.data.first(got);
        return true;
      }
      SHUNT_ASSIGN(const std::size_t got, in_.read_some(block.data));
      block.data = block.data.first(got);
      tracker_.feed(block.data);
      return got > 0;
    };
    const auto drain = [&](const streams::Block& block) -> Result<void> {
      total += block.data.size();
      return options_.dry_run ? Result<void>() : out_.write_next(block.data);
    };
    streams::TransferOptions transfer_options;
    transfer_options.context = options_.context;
    transfer_options.buffer_size = kPassBuffer;
    SHUNT_TRY(streams::transfer(fill, drain, transfer_options));
    Report& report = run.report();
    report.status = Status::kAlready;
    report.size_before = report.size_after = total;
    run.counters().bytes_read = total;
    run.counters().bytes_written = total;
    if (options_.dry_run) report.memory = kMemoryBound;
    return tracker_.missing() == 0 ? Result<void>() : cut_off(total);
  }

  [[nodiscard]] Error cut_off(std::uint64_t size) const {
    return corrupt(fmt::format("the input ends {} bytes before the end of box '{}'",
                               tracker_.missing(), tracker_.type()),
                   size);
  }

  // Endless noise would fill the disk. If the first box has a type that looks accidental, this size
  // and larger ones are not accepted; text gives larger sizes.
  static constexpr std::uint64_t kNoise = std::uint64_t{256} << 20;
  // Small, so that bytes are passed on soon after they arrive.
  static constexpr std::size_t kPassBuffer = 256 * 1024;

  const io::File& in_;
  io::File& out_;
  const Options& options_;
  io::Spool spool_;
  io::SourcePtr head_;  // the kept bytes as a Source; null: not yet
  BoxTracker tracker_;
  bool filled_in_front_ = false;  // there was content besides ftyp in front
  std::uint64_t moov_end_ = 0;
};

}  // namespace

Report run_from_pipe(const io::File& in, io::File& out, const Options& options) {
  return PipeRun(in, out, options).report();
}

Result<io::SourcePtr> spool(const io::File& in, const CancelToken* cancel) {
  io::Spool spool;
  std::vector<std::byte> buffer(1 << 18);
  for (;;) {
    SHUNT_TRY(check_cancel(cancel));
    SHUNT_ASSIGN(const std::size_t got, in.read_next(buffer));
    if (got == 0) return spool.finish(in.path());
    SHUNT_TRY(spool.append(std::span(buffer).first(got)));
  }
}

}  // namespace shunt::faststart
