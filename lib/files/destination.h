// Where output goes: a new file, a FIFO or device, or an open descriptor. Opened here alone.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/files/new_file.h"
#include "shunt/io/file.h"

namespace shunt::files {

// What is written: text may go to a terminal.
enum class Content { kBinary, kText };

// Opens what names_stream() is true of (files/output_name.h). An open descriptor is duplicated; a
// terminal is kUsage for binary content. Waits for the reader of a FIFO.
// `cancel` ends that wait and, from then on, each wait of the stream; it must outlive the file.
Result<io::File> open_stream(const std::string& name, const CancelToken& cancel,
                             Content content = Content::kBinary);

struct DestinationOptions {
  bool force = false;   // a new file may replace an existing one, or what a link there leads to
  bool mkfifo = false;  // make a FIFO of that name, which must not be there, and remove it again
  Content content = Content::kBinary;
};

// Opened before the first byte, ended by commit(). Without it a new file does not appear. One
// thread at a time.
class Destination {
 public:
  // `cancel` as in open_stream().
  static Result<Destination> open(const std::string& name, const DestinationOptions& options,
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

  Destination(std::optional<NewFile> new_file, IfThere if_there)
      : new_file_(std::move(new_file)), if_there_(if_there) {}
  Destination(io::File stream, OwnFifo fifo) : stream_(std::move(stream)), fifo_(std::move(fifo)) {}

  io::File stream_;
  std::optional<NewFile> new_file_;
  IfThere if_there_ = IfThere::kFail;
  OwnFifo fifo_;
};

}  // namespace shunt::files
