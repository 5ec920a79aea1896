#include "sink/trace.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <iterator>

#include "io/kernel.h"

namespace shunt::sink {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} << 10;

}  // namespace

Result<Trace> Trace::to_file(const std::string& path) {
  io::Fd file(io::kernel().open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid()) return system_error(errno, path, "create");
  Trace trace;
  trace.file_ = io::File::adopt(std::move(file), path);
  return trace;
}

void Trace::note(const nbd::Served& served) {
  const auto count = counts_.find(served.command);
  if (count == counts_.end()) {
    counts_.emplace(served.command, 1);
  } else {
    ++count->second;
  }
  if (!file_.valid()) return;
  // Names and numbers of the protocol: nothing that would have to be quoted.
  fmt::format_to(std::back_inserter(lines_),
                 "{{\"seconds\":{:.6f},\"connection\":{},\"command\":\"{}\",\"offset\":{},"
                 "\"length\":{},\"flags\":{},\"error\":",
                 stopwatch_.seconds(), served.connection, served.command, served.range.begin,
                 served.range.size(), served.flags);
  lines_ += served.error.empty() ? "null}\n" : fmt::format("\"{}\"}}\n", served.error);
  if (lines_.size() < kBufferSize) return;
  if (Result<void> written = write_out(); !written && !failure_) failure_ = written.error();
}

Result<void> Trace::write_out() {
  const std::string lines = std::exchange(lines_, {});
  return file_.write_next(std::as_bytes(std::span(lines)));
}

Result<void> Trace::finish() {
  if (!file_.valid()) return {};
  const Result<void> written = write_out();
  const Result<void> closed = file_.close();
  if (failure_) return *failure_;
  return written ? closed : written;
}

}  // namespace shunt::sink
