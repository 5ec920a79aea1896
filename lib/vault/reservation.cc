// From nothing to an item: reserve, write, commit.
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
  // Sweepers look only now and then: twice in a row is as much as one will ever see.
  for (int attempt = 0; attempt < 16; ++attempt) {
    const std::string hidden = path_of(new_hidden_name(name));
    Result<io::File> file = io::File::create(hidden);
    if (!file) {
      if (file.error().system_errno == EEXIST) continue;
      return file.error();
    }
    // Between creating and locking, a sweeper may have taken it for a leftover.
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
  // The bytes before the name: a name that survives a power cut has the whole item behind it.
  if (synced) {
    Result<void> on_disk = file_.sync();
    if (!on_disk) {
      discard();
      return on_disk.error();
    }
  }
  // The lock is the one that was taken when the file was created. It is not let go here, so that
  // the item is safe from its first moment on.
  const std::string path = vault_->path_of(name_);
  const Result<void> named = files::rename_no_replace(hidden_, path);
  if (!named) {
    Error error = named.error();
    if (error.system_errno == EEXIST) {
      error.code = ErrorCode::kBusy;
      error.reason = "an item of that name is there already";
    } else if (names_file(path, file_)) {
      // Where renaming takes two steps, the first may have been made.
      (void)vault_->remove_name(name_, &file_);
    }
    discard();
    return error;
  }
  hidden_.clear();
  file_.set_path(path);
  // The name before the caller's next step, which may rely on the item.
  const Result<void> durable = vault_->sync_names();
  if (!durable) {
    // Whether it would be there after a power cut is not known; better that it is not here either.
    (void)vault_->remove_name(name_, &file_);
    return durable.error();
  }
  return Item(std::move(file_), name_, true);
}

}  // namespace shunt::vault
