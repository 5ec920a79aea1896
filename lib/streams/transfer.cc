#include "shunt/streams/transfer.h"

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <optional>

#include "shunt/base/catching.h"
#include "shunt/io/thread.h"
#include "shunt/streams/direct_file.h"

namespace shunt::streams {
namespace {

// Memory that is aligned for direct I/O (streams/direct_file.h).
class Storage {
 public:
  void allocate(std::size_t size) {
    bytes_.reset(static_cast<std::byte*>(::operator new(size, kAlignment)));
    size_ = size;
  }
  [[nodiscard]] std::span<std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  static constexpr std::align_val_t kAlignment{DirectFile::kAlignment};
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_ = 0;
};

// A buffer, and the side whose turn it is.
struct Slot {
  Storage storage;
  Block block;
  bool full = false;
};

// Shared by the two threads. All members are guarded by `mutex`, except the content of a slot,
// which belongs to the side whose turn it is.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  std::array<Slot, kTransferBuffers> slots;
  std::optional<Error> fill_error;
  bool fill_ended = false;
  bool abandoned = false;  // the draining side has stopped
};

void run_fill(Exchange& exchange, const Fill& fill) {
  for (std::size_t turn = 0;; turn = (turn + 1) % kTransferBuffers) {
    Slot& slot = exchange.slots[turn];
    {
      std::unique_lock lock(exchange.mutex);
      exchange.changed.wait(lock, [&] { return !slot.full || exchange.abandoned; });
      if (exchange.abandoned) return;
    }
    slot.block = {slot.storage.span()};
    Result<bool> filled = catching([&] { return fill(slot.block); });
    const std::lock_guard lock(exchange.mutex);
    if (!filled || !*filled) {
      if (!filled) exchange.fill_error = std::move(filled).error();
      exchange.fill_ended = true;
      exchange.changed.notify_all();
      return;
    }
    slot.full = true;
    exchange.changed.notify_all();
  }
}

Result<void> run_drain(Exchange& exchange, const Drain& drain, const TransferOptions& options) {
  for (std::size_t turn = 0;; turn = (turn + 1) % kTransferBuffers) {
    Slot& slot = exchange.slots[turn];
    {
      std::unique_lock lock(exchange.mutex);
      exchange.changed.wait(lock, [&] { return slot.full || exchange.fill_ended; });
      if (!slot.full) {
        if (exchange.fill_error) return *exchange.fill_error;
        return {};
      }
    }
    if (options.cancel != nullptr) SHUNT_TRY(options.cancel->check());
    SHUNT_TRY(drain(slot.block));
    if (options.progress != nullptr)
      options.progress->advance(slot.block.data.size() + slot.block.zeros);
    const std::lock_guard lock(exchange.mutex);
    slot.full = false;
    exchange.changed.notify_all();
  }
}

}  // namespace

Result<void> transfer(const Fill& fill, const Drain& drain, const TransferOptions& options) {
  Exchange exchange;
  for (Slot& slot : exchange.slots) slot.storage.allocate(options.buffer_size);
  SHUNT_ASSIGN(io::Thread filler, io::Thread::start([&]() -> Result<void> {
                 run_fill(exchange, fill);
                 return {};
               }));
  // An exception must not leave while the other thread uses these objects.
  Result<void> result = catching([&] { return run_drain(exchange, drain, options); });
  {
    const std::lock_guard lock(exchange.mutex);
    exchange.abandoned = true;
    exchange.changed.notify_all();
  }
  const Result<void> filled = filler.join();
  if (result && !filled) return filled;
  return result;
}

}  // namespace shunt::streams
