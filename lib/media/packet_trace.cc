#include "shunt/media/packet_trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "shunt/media/module_input.h"
#include "shunt/media/module_loader.h"

namespace shunt::media {
namespace {

// The callbacks of the report; errors are kept in `input_`.
class Tracer {
 public:
  Tracer(const io::Source& source, const Context& context)
      // Checking a large file should not evict everything else from the page cache.
      : input_(source, context.cancel, io::Caching::kDrop),
        context_(context),
        left_(source.size()) {}

  Result<PacketTrace> run(const ShuntMediaModule& module, std::span<const std::uint32_t> left_out) {
    context_.begin("reading packets", left_);
    const ShuntMediaInput input = input_.callbacks();
    const ShuntMediaReport report{this, &Tracer::opened, &Tracer::packet, &Tracer::streams,
                                  &Tracer::failed};
    const int end = module.trace(&input, {left_out.data(), left_out.size()}, &report);
    SHUNT_TRY(input_.outcome(end));
    advance(left_);  // what is not payload
    return std::move(trace_);
  }

 private:
  static Tracer& self(void* context) { return *static_cast<Tracer*>(context); }

  void advance(std::uint64_t bytes) {
    const std::uint64_t step = std::min(bytes, left_);  // samples of a hostile file may overlap
    left_ -= step;
    if (step > 0) context_.advance(step);
  }

  static void opened(void* context) { self(context).trace_.opened = true; }

  static int packet(void* context, std::uint64_t digest, std::uint64_t size) {
    Tracer& tracer = self(context);
    const bool done = tracer.input_.guarded([&] {
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
    tracer.input_.guarded([&] { tracer.trace_.failure = reason; });
  }

  ModuleInput input_;
  const Context context_;
  std::uint64_t left_;  // progress not yet reported
  PacketTrace trace_;
};

}  // namespace

Result<PacketTrace> trace_packets(const io::Source& source, const Context& context,
                                  std::span<const std::uint32_t> left_out) {
  SHUNT_ASSIGN(const ShuntMediaModule* const module, load_module());
  SHUNT_ASSIGN(PacketTrace trace, Tracer(source, context).run(*module, left_out));
  // The order of packets depends on the place of all data, including the tracks left out.
  if (!left_out.empty()) std::ranges::sort(trace.packets);
  return trace;
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
