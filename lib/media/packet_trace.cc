#include "media/packet_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>

#include "media/module_loader.h"

namespace shunt::media {
namespace {

// Our side of the module's callbacks. The module runs C code between trace() and these, which no
// exception may cross: they are kept here, as errors are, and the work is told to stop.
class Tracer {
 public:
  Tracer(const io::Source& source, const CancelToken* cancel, Progress* progress)
      : source_(source), cancel_(cancel), progress_(progress), left_(source.size()) {}

  Result<PacketTrace> run(const ShuntMediaModule& module) {
    if (progress_ != nullptr) progress_->begin("reading packets", left_);
    const ShuntMediaInput input{this, source_.size(), &Tracer::read_at, &Tracer::cancelled};
    const ShuntMediaReport report{this, &Tracer::opened, &Tracer::packet, &Tracer::streams,
                                  &Tracer::failed};
    const int end = module.trace(&input, &report);
    if (exception_) std::rethrow_exception(exception_);
    if (error_) return *std::move(error_);
    if (cancel_ != nullptr && end == SHUNT_MEDIA_STOPPED) {
      if (auto asked = cancel_->check(); !asked) return asked.error().with_path(source_.name());
    }
    advance(left_);  // what is not payload
    return std::move(trace_);
  }

 private:
  static Tracer& self(void* context) { return *static_cast<Tracer*>(context); }

  // Runs `work`; false when it threw.
  template <typename Work>
  bool guarded(const Work& work) noexcept {
    try {
      work();
      return true;
    } catch (...) {
      exception_ = std::current_exception();
      return false;
    }
  }

  void advance(std::uint64_t bytes) {
    const std::uint64_t step = std::min(bytes, left_);  // samples of a hostile file may overlap
    left_ -= step;
    if (progress_ != nullptr && step > 0) progress_->advance(step);
  }

  static std::int64_t read_at(void* context, std::uint64_t offset, std::uint8_t* into,
                              std::size_t size) {
    Tracer& tracer = self(context);
    std::int64_t got = -1;
    tracer.guarded([&] {
      // A check of a large file should not push everything else out of the page cache.
      auto read = tracer.source_.read_at(offset, std::as_writable_bytes(std::span(into, size)),
                                         io::Caching::kDrop);
      if (read) {
        got = static_cast<std::int64_t>(*read);
      } else {
        tracer.error_ = std::move(read).error();
      }
    });
    return got;
  }

  static int cancelled(void* context) {
    const Tracer& tracer = self(context);
    return tracer.exception_ || (tracer.cancel_ != nullptr && tracer.cancel_->requested()) ? 1 : 0;
  }

  static void opened(void* context) { self(context).trace_.opened = true; }

  static int packet(void* context, std::uint64_t digest, std::uint64_t size) {
    Tracer& tracer = self(context);
    const bool done = tracer.guarded([&] {
      tracer.trace_.packets.push_back(digest);
      tracer.advance(size);
    });
    return done ? 0 : 1;
  }

  static void streams(void* context, std::uint32_t count, std::uint64_t digest) {
    PacketTrace& trace = self(context).trace_;
    trace.stream_count = count;
    trace.streams_digest = digest;
  }

  static void failed(void* context, const char* reason) {
    Tracer& tracer = self(context);
    tracer.guarded([&] { tracer.trace_.failure = reason; });
  }

  const io::Source& source_;
  const CancelToken* cancel_;
  Progress* progress_;
  std::uint64_t left_;  // of the progress
  PacketTrace trace_;
  std::optional<Error> error_;
  std::exception_ptr exception_;
};

}  // namespace

Result<PacketTrace> trace_packets(const io::Source& source, const CancelToken* cancel,
                                  Progress* progress) {
  SHUNT_ASSIGN(const ShuntMediaModule* const module, load_module());
  return Tracer(source, cancel, progress).run(*module);
}

std::optional<std::string> first_difference(const PacketTrace& before, const PacketTrace& after) {
  if (before.opened != after.opened) {
    const PacketTrace& broken = before.opened ? after : before;
    return fmt::format("{} ({})",
                       before.opened ? "it cannot be opened afterwards"
                                     : "it could not be opened before, and can be afterwards",
                       broken.failure.value_or("no reason given"));
  }
  if (before.stream_count != after.stream_count) {
    return fmt::format("{} streams before, {} after", before.stream_count, after.stream_count);
  }
  if (before.streams_digest != after.streams_digest) return "the parameters of a stream differ";
  if (before.packets.size() != after.packets.size()) {
    return fmt::format("{} packets before, {} after", before.packets.size(), after.packets.size());
  }
  const auto differing = std::ranges::mismatch(before.packets, after.packets);
  if (differing.in1 == before.packets.end()) return std::nullopt;
  return fmt::format("packet {} differs", differing.in1 - before.packets.begin() + 1);
}

}  // namespace shunt::media
