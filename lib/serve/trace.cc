#include "shunt/serve/trace.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace shunt::serve {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} << 10;

}  // namespace

Result<Trace> Trace::to_file(const std::string& path, bool force, const CancelToken& cancel) {
  Trace trace;
  SHUNT_ASSIGN(
      files::Destination out,
      files::Destination::open(path, {.force = force, .content = files::Content::kText}, cancel));
  out.file().set_cancel(nullptr);  // give_up() ends the waits
  trace.out_ = std::make_unique<files::Destination>(std::move(out));
  trace.writer_ = std::make_unique<streams::StreamWriter>(
      trace.out_->file(), streams::Zeros::kWritten, trace.give_up_.get());
  return trace;
}

void Trace::note(const nbd::Served& served) {
  const auto count = counts_.find(served.command);
  if (count == counts_.end()) {
    counts_.emplace(served.command, 1);
  } else {
    ++count->second;
  }
  if (out_ == nullptr) return;
  // Names and numbers of the protocol, which need no quoting.
  fmt::format_to(std::back_inserter(lines_),
                 "{{\"seconds\":{:.6f},\"connection\":{},\"command\":\"{}\",\"offset\":{},"
                 "\"length\":{},\"flags\":{},\"error\":",
                 stopwatch_.seconds(), served.connection, served.command, served.range.begin,
                 served.range.size(), served.flags);
  lines_ += served.error.empty() ? "null}\n" : fmt::format("\"{}\"}}\n", served.error);
  if (lines_.size() >= kBufferSize) write_out();
}

void Trace::write_out() {
  const std::string lines = std::exchange(lines_, {});
  const std::span<const std::byte> bytes = std::as_bytes(std::span(lines));
  if (Result<void> written = writer_->write(std::span(&bytes, 1)); !written && !failure_) {
    failure_ = std::move(written).error();
  }
}

void Trace::end_notes() {
  if (out_ != nullptr) write_out();
}

Result<void> Trace::finish() {
  if (out_ == nullptr) return {};
  if (failure_) return *failure_;
  writer_.reset();
  return out_->commit();
}

}  // namespace shunt::serve
