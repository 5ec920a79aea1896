#include "io/transfer.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace shunt::io {
namespace {

// One buffer and whose turn it is.
struct Slot {
  std::vector<std::byte> storage;
  Block block;
  bool full = false;
};

// What the two threads share; every member under `mutex`, but the content of a slot, which belongs
// to the side whose turn it is.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  std::array<Slot, kTransferBuffers> slots;
  std::optional<Error> fill_error;
  bool fill_ended = false;
  bool abandoned = false;  // the draining side wants no more
};

void run_fill(Exchange& exchange, const Fill& fill) {
  for (std::size_t turn = 0;; turn = (turn + 1) % kTransferBuffers) {
    Slot& slot = exchange.slots[turn];
    {
      std::unique_lock lock(exchange.mutex);
      exchange.changed.wait(lock, [&] { return !slot.full || exchange.abandoned; });
      if (exchange.abandoned) return;
    }
    slot.block = {slot.storage};
    const Result<bool> filled = fill(slot.block);
    const std::lock_guard lock(exchange.mutex);
    if (!filled || !*filled) {
      if (!filled) exchange.fill_error = filled.error();
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
  for (Slot& slot : exchange.slots) slot.storage.resize(options.buffer_size);
  std::thread filler(run_fill, std::ref(exchange), std::cref(fill));
  Result<void> result = run_drain(exchange, drain, options);
  {
    const std::lock_guard lock(exchange.mutex);
    exchange.abandoned = true;
    exchange.changed.notify_all();
  }
  filler.join();
  return result;
}

}  // namespace shunt::io
