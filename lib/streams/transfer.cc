#include "shunt/streams/transfer.h"

#include <array>
#include <memory>
#include <new>
#include <optional>

#include "shunt/base/catching.h"
#include "shunt/base/mutex.h"
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

struct Slot {
  Storage storage;
  Block block;
};

// Shared by the two threads. A slot belongs to the draining side while it is full, and otherwise to
// the filling side.
struct Exchange {
  std::array<Slot, kTransferBuffers> slots;

  Mutex mutex;
  ConditionVariable changed;
  std::array<bool, kTransferBuffers> full SHUNT_GUARDED_BY(mutex){};  // for each slot
  std::optional<Error> fill_error SHUNT_GUARDED_BY(mutex);
  bool fill_ended SHUNT_GUARDED_BY(mutex) = false;
  bool abandoned SHUNT_GUARDED_BY(mutex) = false;  // the draining side has stopped
};

void run_fill(Exchange& exchange, const Fill& fill) {
  for (std::size_t turn = 0;; turn = (turn + 1) % kTransferBuffers) {
    Slot& slot = exchange.slots[turn];
    {
      const Lock lock(exchange.mutex);
      exchange.changed.wait(exchange.mutex, [&]() SHUNT_REQUIRES(exchange.mutex) {
        return !exchange.full[turn] || exchange.abandoned;
      });
      if (exchange.abandoned) return;
    }
    slot.block = {slot.storage.span()};
    Result<bool> filled = catching([&] { return fill(slot.block); });
    const Lock lock(exchange.mutex);
    if (!filled || !*filled) {
      if (!filled) exchange.fill_error = std::move(filled).error();
      exchange.fill_ended = true;
      exchange.changed.notify_all();
      return;
    }
    exchange.full[turn] = true;
    exchange.changed.notify_all();
  }
}

Result<void> run_drain(Exchange& exchange, const Drain& drain, const TransferOptions& options) {
  for (std::size_t turn = 0;; turn = (turn + 1) % kTransferBuffers) {
    Slot& slot = exchange.slots[turn];
    {
      const Lock lock(exchange.mutex);
      exchange.changed.wait(exchange.mutex, [&]() SHUNT_REQUIRES(exchange.mutex) {
        return exchange.full[turn] || exchange.fill_ended;
      });
      if (!exchange.full[turn]) {
        if (exchange.fill_error) return *exchange.fill_error;
        return {};
      }
    }
    SHUNT_TRY(options.context.check());
    SHUNT_TRY(drain(slot.block));
    options.context.advance(slot.block.data.size() + slot.block.zeros);
    const Lock lock(exchange.mutex);
    exchange.full[turn] = false;
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
    const Lock lock(exchange.mutex);
    exchange.abandoned = true;
    exchange.changed.notify_all();
  }
  const Result<void> filled = filler.join();
  if (result && !filled) return filled;
  return result;
}

}  // namespace shunt::streams
