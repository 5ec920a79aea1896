// Creates an item: reserve, write, commit.
#include <cerrno>

#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/vault/ledger.h"
#include "shunt/vault/locked_file.h"
#include "shunt/vault/scan.h"
#include "shunt/vault/vault.h"

namespace shunt::vault {

Result<Reservation> Vault::reserve(const std::string& name) {
  SHUNT_TRY(check_item_name(name));
  // Sweeps are rare: two in a row are the most one will see.
  for (int attempt = 0; attempt < 16; ++attempt) {
    const std::string hidden = path_of(new_hidden_name(name));
    Result<io::File> file = io::File::create(hidden);
    if (!file) {
      if (file.error().system_errno == EEXIST) continue;
      return file.error();
    }
    // Between creating and locking, a sweep may have removed it as a leftover.
    if (files::try_lock(*file, files::LockKind::kShared) == files::LockOutcome::kHeldElsewhere)
      continue;
    if (!names_file(hidden, *file)) continue;
    return Reservation(std::move(*file), hidden, name, this);
  }
  return system_error(EBUSY, path_of(name), "reserve");
}

void Reservation::discard() {
  if (hidden_.empty()) return;
  (void)files::remove_if_there(hidden_);
  hidden_.clear();
}

Reservation::~Reservation() {
  discard();
}

Result<Item> Reservation::commit() && {
  const bool synced = vault_->options().durability == Durability::kSynced;
  // Content is synced before the rename: a name that survives a power failure stands for a complete
  // item.
  if (synced) {
    Result<void> on_disk = file_.sync();
    if (!on_disk) {
      discard();
      return on_disk.error();
    }
  }
  // The lock taken when the file was created is kept, so that the item is protected from its first
  // moment.
  const std::string path = vault_->path_of(name_);
  const Result<void> named = files::rename_no_replace(hidden_, path);
  if (!named) {
    Error error = named.error();
    if (error.system_errno == EEXIST) {
      error.code = ErrorCode::kBusy;
      error.reason = "an item of that name exists already";
    } else if (names_file(path, file_)) {
      // If renaming takes two steps, the first may have been done.
      (void)vault_->remove_name(name_, &file_);
    }
    discard();
    return error;
  }
  hidden_.clear();
  file_.set_path(path);
  // The name must be durable before the caller relies on the item.
  const Result<void> durable = vault_->sync_names();
  if (!durable) {
    // It is unknown whether it would survive a power failure; remove it.
    (void)vault_->remove_name(name_, &file_);
    return durable.error();
  }
  return Item(std::move(file_), name_, true);
}

}  // namespace shunt::vault
