#include "shunt/vault/vault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "shunt/files/found_file.h"
#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/io/patience.h"
#include "shunt/vault/ledger.h"
#include "shunt/vault/locked_file.h"
#include "shunt/vault/scan.h"
#include "shunt/vault/timing.h"

namespace shunt::vault {
namespace {

Error refusal(const std::string& path, ErrorCode code, std::string reason) {
  Error error;
  error.code = code;
  error.path = path;
  error.operation = "open";
  error.reason = std::move(reason);
  return error;
}

// The name of a new directory in its parent must be durable too.
Result<void> make(const std::string& directory, Durability durability) {
  std::vector<std::string> above;
  struct stat status {};
  for (std::string missing = directory; ::lstat(missing.c_str(), &status) != 0 && errno == ENOENT;
       missing = above.back()) {
    above.push_back(files::parent_directory(missing));
  }
  SHUNT_TRY(files::make_directories(directory));
  if (durability == Durability::kUnsynced) return {};
  for (const std::string& one : above) SHUNT_TRY(files::sync_directory(one));
  return {};
}

Error no_such_item(const std::string& path) {
  Error error;
  error.path = path;
  error.reason = "no such item";
  return error;
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// Returns true if only opening for writing was refused.
bool may_be_readable(const Error& error) {
  return error.system_errno == EACCES || error.system_errno == EPERM || error.system_errno == EROFS;
}

// The file may stem from a time when others could write here.
Result<void> check_owned(const io::File& file) {
  SHUNT_ASSIGN(const struct stat own, file.status());
  std::string reason = files::why_not_owned(own, files::kOnlyRoot);
  if (reason.empty()) return {};
  return refusal(file.path(), ErrorCode::kIntegrity, std::move(reason));
}

}  // namespace

Vault::Vault(std::string directory, const Options& options)
    : directory_(std::move(directory)),
      options_(options),
      // Checked once, to avoid attempts in vain. The calls themselves decide.
      read_only_(::faccessat(AT_FDCWD, directory_.c_str(), W_OK | X_OK, AT_EACCESS) != 0),
      removal_(std::make_unique<LockedFile>(directory_ + "/.lock", options.cancel)),
      ledger_(std::make_unique<Ledger>(directory_ + "/.usage", options.cancel)) {}

Vault::~Vault() = default;

std::string Vault::path_of(const std::string& name) const {
  return directory_ + "/" + name;
}

Result<void> Vault::sync_names() const {
  if (options_.durability == Durability::kUnsynced) return {};
  return files::sync_directory(directory_);
}

Result<std::unique_ptr<Vault>> Vault::open(const std::string& directory, const Options& options) {
  SHUNT_TRY(make(directory, options.durability));
  SHUNT_TRY(files::open_own_directory(directory));
  const std::string pins = pins_directory(directory);
  if (::faccessat(AT_FDCWD, pins.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    SHUNT_TRY(files::open_own_directory(pins));
  }
  std::unique_ptr<Vault> vault(new Vault(directory, options));
  if (!vault->read_only_ && sweep_is_due(directory)) {
    // Leftovers do no harm: not a reason to fail.
    (void)vault->sweep();
  }
  return vault;
}

// Returns nullopt if there is none, kBusy while somebody is removing it.
Result<std::optional<Item>> Vault::try_open(const std::string& name) const {
  const std::string path = path_of(name);
  bool writable = true;
  Result<io::File> file = io::File::open_to_change(path);
  if (!file && may_be_readable(file.error())) {
    writable = false;
    file = io::File::open_to_read(path);
  }
  if (!file) {
    if (file.error().system_errno == ENOENT) return std::optional<Item>();
    return file.error();
  }
  // Looks at the name itself, not at a link's target; once, since it may change.
  struct stat named {};
  if (::lstat(path.c_str(), &named) != 0) return system_error(EBUSY, path, "open");
  if (!S_ISREG(named.st_mode)) return refusal(path, ErrorCode::kLocalIo, "not a regular file");
  SHUNT_TRY(files::lock_shared(*file));
  // Between opening and locking it may have been removed or replaced. From here on the lock
  // protects it.
  if (!names_file(path, *file)) return system_error(EBUSY, path, "open");
  SHUNT_TRY(check_owned(*file));
  return std::optional<Item>(Item(std::move(*file), name, writable));
}

Result<std::optional<Item>> Vault::open_item(const std::string& name) {
  SHUNT_TRY(check_item_name(name));
  // Evictors hold an item for a few system calls.
  io::Patience patience(kOpenPatience, options_.cancel, path_of(name));
  for (;;) {
    Result<std::optional<Item>> item = try_open(name);
    if (item && *item) (void)(*item)->file_.touch();  // if permitted
    if (item || item.error().code != ErrorCode::kBusy) return item;
    SHUNT_TRY(patience.pause());
  }
}

Result<io::File> Vault::look_into(const std::string& name) const {
  SHUNT_TRY(check_item_name(name));
  SHUNT_ASSIGN(const files::Directory directory, files::Directory::holding(path_of(name)));
  SHUNT_ASSIGN(io::File file, directory.open(name, O_RDONLY, "open"));
  SHUNT_TRY(check_owned(file));
  return file;
}

Result<bool> Vault::remove_name(const std::string& name, const io::File* only) {
  const std::string path = path_of(name);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return false;
  // Names are removed only under this lock, so that the name cannot change between the check and
  // unlink: no item ever replaces another.
  SHUNT_ASSIGN(const auto guard, removal_->lock(kRemovalPatience));
  if (only != nullptr && !names_file(path, *only)) return false;
  SHUNT_ASSIGN(const bool removed, files::remove_if_there(path));
  if (!removed) return false;
  (void)files::remove_if_there(pin_path(directory_, name));  // otherwise sweep() will
  // Durable before a caller relies on its absence to write an item of that name.
  SHUNT_TRY(sync_names());
  return true;
}

Result<bool> Vault::retire(const std::string& name, const Item* only) {
  SHUNT_TRY(check_item_name(name));
  return remove_name(name, only == nullptr ? nullptr : &only->file_);
}

Result<void> Vault::pin(const std::string& name) {
  SHUNT_TRY(check_item_name(name));
  if (!is_file(path_of(name))) return no_such_item(path_of(name));
  // Evictors hold this lock from reading the pins until they are done.
  SHUNT_ASSIGN(const auto guard, removal_->lock(kRemovalPatience));
  if (!is_file(path_of(name))) return no_such_item(path_of(name));
  SHUNT_TRY(make(pins_directory(directory_), options_.durability));
  SHUNT_TRY(io::File::open_or_create(pin_path(directory_, name)));
  if (options_.durability == Durability::kUnsynced) return {};
  return files::sync_directory(pins_directory(directory_));
}

Result<void> Vault::unpin(const std::string& name) {
  SHUNT_TRY(check_item_name(name));
  SHUNT_ASSIGN(const bool removed, files::remove_if_there(pin_path(directory_, name)));
  if (!removed || options_.durability == Durability::kUnsynced) return {};
  return files::sync_directory(pins_directory(directory_));
}

Result<std::vector<ItemStatus>> Vault::list() const {
  SHUNT_ASSIGN(Scan found, scan(directory_));
  std::vector<ItemStatus> items;
  items.reserve(found.items.size());
  for (FoundItem& item : found.items) items.push_back(std::move(item.status));
  return items;
}

}  // namespace shunt::vault
