// Where output goes: a new file, a FIFO or device, or an open descriptor. All outputs are opened
// here.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/files/new_file.h"
#include "shunt/io/file.h"

namespace shunt::files {

// The kind of output: text may go to a terminal.
enum class Content { kBinary, kText };

// Opens a name for which names_stream() is true (files/output_name.h). Duplicates an open
// descriptor; a terminal is kUsage for binary content. Waits for the reader of a FIFO. `cancel`
// ends that wait, and later every wait of the stream; it outlives the file.
Result<io::File> open_stream(const std::string& name, const CancelToken& cancel,
                             Content content = Content::kBinary);

struct DestinationOptions {
  bool force = false;   // a new file may replace an existing one, also behind a link
  bool mkfifo = false;  // create a FIFO, which must not exist, and remove it at the end
  Content content = Content::kBinary;
};

// Opened before the first byte and completed by commit(); without that no new file appears. One
// thread at a time.
class Destination {
 public:
  // `cancel`: as for open_stream().
  static Result<Destination> open(const std::string& name, const DestinationOptions& options,
                                  const CancelToken& cancel);
  // Takes an open stream.
  explicit Destination(io::File stream) : stream_(std::move(stream)) {}
  Destination(Destination&&) = default;
  Destination& operator=(Destination&&) = delete;
  ~Destination();

  [[nodiscard]] io::File& file() { return new_file_ ? new_file_->file() : stream_; }
  // Everything has been written: gives the new file its name, or closes the stream.
  Result<void> commit();

 private:
  // The FIFO that this created; removed by its destructor.
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
