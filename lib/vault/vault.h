// A directory of files that come and go durably: the blobs of the cache, the segments of a store.
//
// An item is one regular file directly in the directory. It is written under a hidden name while it
// is *reserved*, gets its own name when it is *committed*, and loses it when it is *retired*. At
// every instant, power loss included, a name stands for a whole item or for nothing. A process that
// has an item open keeps it: nobody evicts it, and when it is retired all the same, its bytes stay
// readable until it is closed.
//
// Several processes may use one vault at once. Locks are flock(2) on the items' files: shared while
// an item is reserved or open, exclusive for the moment in which it is evicted or swept, so that a
// process that dies leaves none behind. One lock from reserve() on means that there is no moment in
// commit() at which the item is nobody's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::vault {

enum class Durability {
  // commit() and retire() return when the change is on disk.
  kSynced,
  // Nothing is synced: for contents that carry checksums and can be had again. After a power cut an
  // item may be torn, or back after it was retired; never mixed from two.
  kUnsynced,
};

struct Options {
  Durability durability = Durability::kSynced;
  // Allocated bytes (st_blocks) that all items together may take; 0: no limit. See Vault::admit.
  std::uint64_t budget = 0;
  // Asked while others are waited for; may be null. Outlives the vault.
  const CancelToken* cancel = nullptr;
};

// What a listing knows of an item without opening it.
struct ItemStatus {
  std::string name;
  std::uint64_t allocated = 0;  // bytes
  std::uint64_t size = 0;       // bytes, as the file says
  std::int64_t last_used = 0;   // seconds since the epoch (the time of modification)
  bool pinned = false;          // by pin(): survives until unpin()
};

class Vault;

// An open item, shared with other readers, and safe from eviction as long as it lives. Move-only;
// the File is open for reading and writing where that is allowed.
class Item {
 public:
  [[nodiscard]] io::File& file() { return file_; }
  [[nodiscard]] const io::File& file() const { return file_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool writable() const { return writable_; }

 private:
  friend class Vault;
  friend class Reservation;
  Item(io::File file, std::string name, bool writable)
      : file_(std::move(file)), name_(std::move(name)), writable_(writable) {}

  io::File file_;
  std::string name_;
  bool writable_;
};

// An item that is being written. Gone, with its bytes, unless commit() was reached.
class Reservation {
 public:
  Reservation(Reservation&& other) noexcept
      : file_(std::move(other.file_)),
        hidden_(std::exchange(other.hidden_, {})),
        name_(std::move(other.name_)),
        vault_(other.vault_) {}
  Reservation& operator=(Reservation&&) = delete;
  ~Reservation();

  [[nodiscard]] io::File& file() { return file_; }
  // Syncs (as the vault's durability says), puts the file under its name and syncs the directory.
  // Returns the item, open. kBusy when an item of that name is there: it stays as it is, and this
  // one goes. After any other error there is no item either, as far as that can be had.
  Result<Item> commit() &&;

 private:
  friend class Vault;
  Reservation(io::File file, std::string hidden, std::string name, Vault* vault)
      : file_(std::move(file)), hidden_(std::move(hidden)), name_(std::move(name)), vault_(vault) {}
  void discard();

  io::File file_;
  std::string hidden_;  // path; empty once it is under its name
  std::string name_;
  Vault* vault_;  // not owned; outlives this
};

class Ledger;
class LockedFile;
struct FoundItem;
struct Scan;

// Thread-safe.
class Vault {
 public:
  ~Vault();
  // Opens `directory`; what is missing of it is made, mode 0700. kLocalIo where it cannot be made,
  // belongs to somebody else than the user or root, or may be written to by others. A directory
  // that may only be read makes a vault from which items can be opened. Sweeps when nobody has
  // lately.
  static Result<std::unique_ptr<Vault>> open(const std::string& directory, const Options& options);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] const Options& options() const { return options_; }

  // `name`: 1 to 200 of [A-Za-z0-9._-], no dot first. Fails with kUsage otherwise, here and below.
  Result<Reservation> reserve(const std::string& name);
  // Opens an item and marks it as used now; nullopt when there is none. kIntegrity for one that
  // somebody else than the user or root owns or may write to.
  Result<std::optional<Item>> open_item(const std::string& name);
  // To look at, not marked as used and not kept from being taken away; else the same.
  [[nodiscard]] Result<io::File> look_into(const std::string& name) const;
  // Takes the name away and syncs the directory; the storage goes with the last that has it open.
  // With `only`, nothing happens unless the name still stands for that very file. Returns whether
  // something was retired. A pin goes with its item.
  Result<bool> retire(const std::string& name, const Item* only = nullptr);

  Result<void> pin(const std::string& name);  // kFailed when there is no such item
  Result<void> unpin(const std::string& name);

  // All committed items, in no order. 10,000 of them take well below 100 ms.
  [[nodiscard]] Result<std::vector<ItemStatus>> list() const;

  // Retires items, least recently used first, until all together are allocated at most
  // `max_allocated` bytes. Pinned ones and those that are open anywhere stay. Returns what is
  // allocated then.
  Result<std::uint64_t> evict(std::uint64_t max_allocated);

  // Asks for `bytes` more within the budget, before they are written; evicts where that makes room.
  // False when it cannot be had: the caller writes nothing then. kBusy when others have kept the
  // locks for long, which says nothing about room: ask again. Processes share one count, in a
  // file beside the items, which a scan sets right whenever it says that the budget is full; so the
  // budget is never passed by more than what was admitted and is not yet written.
  Result<bool> admit(std::uint64_t bytes);

  // Takes away what reservations of processes that died have left, and pins of items that are gone.
  Result<void> sweep();

 private:
  friend class Reservation;
  Vault(std::string directory, const Options& options);
  [[nodiscard]] std::string path_of(const std::string& name) const;
  // Makes names that came or went durable, where the vault promises that.
  [[nodiscard]] Result<void> sync_names() const;
  [[nodiscard]] Result<std::optional<Item>> try_open(const std::string& name) const;
  Result<bool> remove_name(const std::string& name, const io::File* only);
  Result<bool> admit_with_scan(std::uint64_t bytes);
  // These want `.lock` to be held.
  Result<void> sweep_locked();
  Result<std::uint64_t> shrink(Scan& found, std::optional<std::uint64_t> must, std::uint64_t wish);
  [[nodiscard]] bool is_idle(const FoundItem& item) const;
  [[nodiscard]] bool remove_if_idle(const FoundItem& item);

  std::string directory_;
  Options options_;
  bool read_only_;
  std::unique_ptr<LockedFile> removal_;  // `.lock`
  std::unique_ptr<Ledger> ledger_;
  std::atomic<std::int64_t> full_until_{0};  // of the steady clock, in ns; see admit_with_scan
};

}  // namespace shunt::vault
