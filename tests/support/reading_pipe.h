// A pipe whose other end is read by a thread, for tests of streams.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "shunt/io/file.h"
#include "support/pipe_ends.h"

namespace shunt::test {

class ReadingPipe {
 public:
  // Reads at most `most` bytes, then closes its end.
  explicit ReadingPipe(std::size_t most = SIZE_MAX) {
    PipeEnds ends;
    in_ = std::move(ends.writer);
    thread_ = std::thread([this, most, out = std::move(ends.reader)] {
      std::vector<std::byte> buffer(std::size_t{1} << 20);
      while (bytes_.size() < most) {
        const auto part = std::span(buffer).first(std::min(buffer.size(), most - bytes_.size()));
        const ssize_t got = ::read(out.get(), part.data(), part.size());
        if (got <= 0) break;
        bytes_.insert(bytes_.end(), buffer.begin(), buffer.begin() + got);
      }
    });
  }
  ~ReadingPipe() { (void)all(); }

  [[nodiscard]] io::File& in() { return in_; }

  // Closes the write end and returns everything read.
  const std::vector<std::byte>& all() {
    (void)in_.close();
    if (thread_.joinable()) thread_.join();
    return bytes_;
  }

 private:
  io::File in_;
  std::vector<std::byte> bytes_;  // used by the thread until it is joined
  std::thread thread_;
};

}  // namespace shunt::test
