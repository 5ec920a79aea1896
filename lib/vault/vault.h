// A directory of files that are created and removed durably: the blobs of the cache, the segments
// of a store.
//
// An item is a regular file in the directory. It is written under a hidden name while it is
// *reserved*, gets its name when it is *committed*, and loses it when it is *retired*. At every
// instant, power failure included, a name stands for a complete item or for nothing. An item that
// some process has open is not evicted; if it is retired, its bytes stay readable until it is
// closed.
//
// Several processes may use a vault at once. Locks are flock(2) on the items' files: shared while
// an item is reserved or open, exclusive while it is evicted or swept. A process that dies leaves
// no lock behind. The lock is held from reserve() on, so there is no moment in commit() when the
// item is unlocked.
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
  // commit() and retire() return once the change is on disk.
  kSynced,
  // Nothing is synced: for content that has checksums and can be fetched again. After a power
  // failure an item may be torn, or exist again after it was retired; two are never mixed.
  kUnsynced,
};

struct Options {
  Durability durability = Durability::kSynced;
  // Limit on the allocated bytes (st_blocks) of all items together; 0: no limit. See Vault::admit.
  std::uint64_t budget = 0;
  // Ends waits for other processes; may be null. Outlives the vault.
  const CancelToken* cancel = nullptr;
};

// What a listing shows of an item without opening it.
struct ItemStatus {
  std::string name;
  std::uint64_t allocated = 0;  // bytes
  std::uint64_t size = 0;       // bytes, the file's length
  std::int64_t last_used = 0;   // seconds since the epoch (mtime)
  bool pinned = false;          // by pin(): kept until unpin()
};

class Vault;

// An open item, shared with other readers and safe from eviction during its lifetime. Move-only.
// The File is open for reading, and for writing if permitted.
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

// An item that is being written. Removed with its bytes unless commit() succeeds.
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
  // Syncs (as Options::durability says), renames the file to its name and syncs the directory.
  // Returns the open item. Returns kBusy if an item of that name exists: it stays, and this one is
  // removed. After any other error the new item is removed if possible.
  Result<Item> commit() &&;

 private:
  friend class Vault;
  Reservation(io::File file, std::string hidden, std::string name, Vault* vault)
      : file_(std::move(file)), hidden_(std::move(hidden)), name_(std::move(name)), vault_(vault) {}
  void discard();

  io::File file_;
  std::string hidden_;  // path; empty once it has its name
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
  // Opens `directory` and creates what is missing, mode 0700. Returns kLocalIo if it cannot be
  // created, belongs to another user (except root), or is writable by others. Items of a read-only
  // directory can be opened. Sweeps if nobody has done so lately.
  static Result<std::unique_ptr<Vault>> open(const std::string& directory, const Options& options);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] const Options& options() const { return options_; }

  // `name`: 1 to 200 of [A-Za-z0-9._-], not starting with a dot; otherwise kUsage, here and below.
  Result<Reservation> reserve(const std::string& name);
  // Opens an item and sets its time of use; nullopt if there is none. Returns kIntegrity for one
  // that another user (except root) owns or can write to.
  Result<std::optional<Item>> open_item(const std::string& name);
  // Same, without setting the time of use and without protecting it from eviction.
  [[nodiscard]] Result<io::File> look_into(const std::string& name) const;
  // Removes the name and syncs the directory; the storage is freed when nobody has it open.
  // With `only`, does nothing unless the name still is that very file. Returns true if an item was
  // retired. Its pin is removed too.
  Result<bool> retire(const std::string& name, const Item* only = nullptr);

  Result<void> pin(const std::string& name);  // kFailed if there is no such item
  Result<void> unpin(const std::string& name);

  // Returns all committed items, unordered. 10,000 take well below 100 ms.
  [[nodiscard]] Result<std::vector<ItemStatus>> list() const;

  // Retires items, least recently used first, until all together take at most `max_allocated`
  // bytes. Pinned and open items stay. Returns the number of bytes then allocated.
  Result<std::uint64_t> evict(std::uint64_t max_allocated);

  // Reserves `bytes` of the budget before they are written; evicts items if that makes room.
  // Returns false if there is no room: the caller then writes nothing. Returns kBusy if others held
  // the locks for long; the caller may ask again. Processes share one count, in a file beside the
  // items; a scan corrects it whenever the budget seems full. So the budget is exceeded at most by
  // what was admitted and is not yet written.
  Result<bool> admit(std::uint64_t bytes);

  // Removes leftovers of processes that died in a reservation, and pins of items that are gone.
  Result<void> sweep();

 private:
  friend class Reservation;
  Vault(std::string directory, const Options& options);
  [[nodiscard]] std::string path_of(const std::string& name) const;
  // Makes new and removed names durable, if Options::durability says so.
  [[nodiscard]] Result<void> sync_names() const;
  [[nodiscard]] Result<std::optional<Item>> try_open(const std::string& name) const;
  Result<bool> remove_name(const std::string& name, const io::File* only);
  Result<bool> admit_with_scan(std::uint64_t bytes);
  // Called with `.lock` held.
  Result<void> sweep_locked();
  Result<std::uint64_t> shrink(Scan& found, std::optional<std::uint64_t> must, std::uint64_t wish);
  [[nodiscard]] bool is_idle(const FoundItem& item) const;
  [[nodiscard]] bool remove_if_idle(const FoundItem& item);

  std::string directory_;
  Options options_;
  bool read_only_;
  std::unique_ptr<LockedFile> removal_;  // `.lock`
  std::unique_ptr<Ledger> ledger_;
  std::atomic<std::int64_t> full_until_{0};  // steady clock, in ns; see admit_with_scan
};

}  // namespace shunt::vault
