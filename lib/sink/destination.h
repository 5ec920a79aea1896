// Where a stream goes: a new file, a FIFO or device, or an open descriptor.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/cancel.h"
#include "base/result.h"
#include "io/file.h"
#include "io/new_file.h"

namespace shunt::sink {

struct DestinationOptions {
  bool force = false;   // a new file may replace an existing one, or what a link there leads to
  bool mkfifo = false;  // make a FIFO of that name, which must not be there, and take it away again
};

// Opened before the first byte, ended by commit(). Without it a new file does not appear.
class Destination {
 public:
  // Waits for the reader of a FIFO, and asks `cancel` meanwhile.
  static Result<Destination> open(const std::string& path, const DestinationOptions& options,
                                  const CancelToken& cancel);
  // Takes over an open stream.
  explicit Destination(io::File stream) : stream_(std::move(stream)) {}
  Destination(Destination&&) = default;
  Destination& operator=(Destination&&) = delete;
  ~Destination();

  [[nodiscard]] io::File& file() { return new_file_ ? new_file_->file() : stream_; }
  // All has been written: the new file gets its name, or the stream is closed.
  Result<void> commit();

 private:
  // The name of a FIFO that this made; moves with the object.
  class OwnFifo {
   public:
    OwnFifo() = default;
    explicit OwnFifo(std::string path) : path_(std::move(path)) {}
    OwnFifo(OwnFifo&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    OwnFifo& operator=(OwnFifo&& other) noexcept {
      std::swap(path_, other.path_);
      return *this;
    }
    ~OwnFifo();

   private:
    std::string path_;
  };

  Destination(std::optional<io::NewFile> new_file, io::IfThere if_there)
      : new_file_(std::move(new_file)), if_there_(if_there) {}
  Destination(io::File stream, OwnFifo fifo) : stream_(std::move(stream)), fifo_(std::move(fifo)) {}

  io::File stream_;
  std::optional<io::NewFile> new_file_;
  io::IfThere if_there_ = io::IfThere::kFail;
  OwnFifo fifo_;
};

}  // namespace shunt::sink
